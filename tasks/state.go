package tasks

// TaskState is where the broker has the task of a job.
type TaskState string

// The states that a broker tells apart.
const (
	Absent    TaskState = "absent"
	Pending   TaskState = "pending"
	Scheduled TaskState = "scheduled"
	Retrying  TaskState = "retry"
	Active    TaskState = "active"
	Archived  TaskState = "archived"
)
