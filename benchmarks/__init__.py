"""What thetabulk costs, measured side by side with what people would do by hand. Run by `make bench`."""
