"""`thetabulk doctor`: facts are gathered side by side, each for itself; then plain functions say what they mean."""
