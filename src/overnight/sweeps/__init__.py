"""Many runs of one command: their lines, leaderboard and status, and the winners again with fresh seeds."""
