"""What the logs of GitHub Actions and GitLab CI can show: sections to fold, annotations, masks; and nothing a task could forge."""
