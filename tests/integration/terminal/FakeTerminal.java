import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Executors;

/**
 * A stand-in for the Theta Terminal: it does what `fake.properties` in its folder tells, which is read again for every
 * answer. Every start is a line in `starts`, every orderly end one in `ends`: a test counts logins there.
 */
public final class FakeTerminal {
    public static void main(String[] arguments) throws Exception {
        note("starts");
        Runtime.getRuntime().addShutdownHook(new Thread(() -> note("ends")));
        boolean isChild = arguments.length > 0 && arguments[0].equals("--child");
        Properties told = told();
        for (String line : told.getProperty("say", "").split("\\|")) {
            if (!line.isEmpty()) {
                System.out.println(line);
            }
        }
        repeatCredentials(arguments);
        int flood = number(told, "flood", 0);
        for (int line = 0; line < flood; line++) {
            System.out.println("line " + line + " of a flood that no pipe holds ".repeat(3));
        }
        if (told.containsKey("exhaust")) {
            List<long[]> kept = new ArrayList<>();
            while (true) {
                kept.add(new long[1 << 20]);
            }
        }
        Thread.sleep(number(told, "late_ms", 0));
        if (told.containsKey("fork") && !isChild) {
            new ProcessBuilder(
                    ProcessHandle.current().info().command().orElseThrow(), "-cp",
                    System.getProperty("java.class.path"), "FakeTerminal", "--child").inheritIO().start();
        }
        if (told.getProperty("fork", "").equals("child-serves") == isChild) {
            serve(told);
        }
        if (told.containsKey("exit_after_ms") && !isChild) {
            Thread.sleep(number(told, "exit_after_ms", 0));
            System.out.println("leaving, as told");
            System.exit(number(told, "exit_code", 0));
        }
        Thread.currentThread().join();
    }

    private static void serve(Properties told) throws IOException {
        String host = told.getProperty("host", "127.0.0.1");
        int port = number(told, "port", 25503);
        if (told.containsKey("deaf")) {
            return;
        }
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(host, port), 50);
            server.createContext("/", FakeTerminal::answer);
            server.setExecutor(Executors.newCachedThreadPool());
            server.start();
        } catch (BindException error) {
            System.out.println("Failed to start Theta Terminal server. Address " + host + ":" + port + " already in use");
            error.printStackTrace();
            System.exit(1);
        }
        System.out.println("Subscriptions: Stock: STANDARD  Options: PROFESSIONAL  Index: FREE  Rate: FREE");
        System.out.println("Max concurrent requests: 8");
        System.out.println("Starting server at: http://" + host + ":" + port + "/");
    }

    private static void answer(HttpExchange exchange) throws IOException {
        Properties told = told();
        try {
            if (told.containsKey("hang")) {
                Thread.sleep(3_600_000);
            }
        } catch (InterruptedException error) {
            return;
        }
        note("asked");
        boolean shutdown = exchange.getRequestURI().getPath().equals("/v3/terminal/shutdown");
        byte[] text = (shutdown ? "OK" : told.getProperty("text", "CONNECTED")).getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(shutdown ? 200 : number(told, "status", 200), text.length);
        exchange.getResponseBody().write(text);
        exchange.close();
        if (shutdown && !told.containsKey("stubborn")) {
            new Thread(() -> System.exit(0)).start();
        }
    }

    /** A Terminal might print what it was told; what keeps its log has to see to it. */
    private static void repeatCredentials(String[] arguments) throws IOException {
        for (int place = 0; place + 1 < arguments.length; place++) {
            if (arguments[place].equals("--creds-file")) {
                List<String> lines = Files.readAllLines(Path.of(arguments[place + 1]));
                System.out.println("Logging in as " + lines.get(0) + " password=" + lines.get(1));
                System.out.println("Session ID: 3f2b8c1e-0000-canary-session-id");
            }
        }
    }

    private static Properties told() throws IOException {
        Properties told = new Properties();
        Path file = Path.of("fake.properties");
        if (Files.exists(file)) {
            try (InputStream stream = Files.newInputStream(file)) {
                told.load(stream);
            }
        }
        return told;
    }

    private static int number(Properties told, String name, int otherwise) {
        return Integer.parseInt(told.getProperty(name, Integer.toString(otherwise)));
    }

    private static void note(String name) {
        try {
            String line = ProcessHandle.current().pid() + " " + System.currentTimeMillis() + "\n";
            Files.writeString(Path.of(name), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException error) {
            error.printStackTrace();
        }
    }
}
