#!/usr/bin/env python3
"""A developer agent in Python: reads the task, may ask a question, writes the result."""

import json
import os
import pathlib

task = json.loads(pathlib.Path(os.environ["PRPFLOW_TASK_FILE"]).read_text(encoding="utf-8"))
document = pathlib.Path(task["document_path"]).read_text(encoding="utf-8")
print(f"{task['prp']['id']}, attempt {task['attempt']}: {len(document)} characters")
for reason in task.get("reasons") or []:
    print("to mend:", reason)

if "TBD" in document and not task.get("answer"):
    # The PRP waits in `blocked` until: prpflow answer ID TEXT
    result = {"outcome": "question", "question": "The document says TBD. What shall it be?"}
else:
    result = {
        "outcome": "done",
        "evidence": {"tests_passed": True, "lint_clean": True, "coverage_pct": 91},
        "usage": {"input_tokens": len(document) // 4, "output_tokens": 0},
    }
pathlib.Path(os.environ["PRPFLOW_RESULT_FILE"]).write_text(json.dumps(result), encoding="utf-8")
