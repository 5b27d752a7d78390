"""From a run's facts to tables, figures, the live view and REPORT.md."""
