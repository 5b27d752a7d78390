"""Reports of runs: tables, pictures and REPORT.md, made from result files and facts."""
