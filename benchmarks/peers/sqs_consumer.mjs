// sqs-consumer: a time limit and a heartbeat; a handler that throws lets its message come again.
import { SQSClient } from "@aws-sdk/client-sqs";
import { appendFileSync } from "node:fs";
import { Consumer } from "sqs-consumer";

const VISIBILITY = 10, TIME_LIMIT = 5;
const note = (message, event) =>
  appendFileSync(process.env.BENCH_NOTES, `${JSON.stringify({ id: message.id, event, at: Date.now() / 1000 })}\n`);
const sleep = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));

// The same as act() in work.py.
async function act(message) {
  note(message, "begin");
  switch (message.do) {
    case "raise": throw new Error("this message fails");
    case "exit": process.exit(1);
    case "sigkill": process.kill(process.pid, "SIGKILL"); break;
    case "segfault": process.kill(process.pid, "SIGSEGV"); break;
    case "hang": await new Promise(() => setInterval(() => {}, 1000));
  }
  await sleep(message.seconds);
  note(message, "end");
}

const app = Consumer.create({
  queueUrl: process.env.QUEUE_URL,
  sqs: new SQSClient({ region: process.env.AWS_REGION, endpoint: process.env.AWS_ENDPOINT_URL, useQueueUrlAsEndpoint: false }),
  batchSize: 10,
  waitTimeSeconds: 5,
  visibilityTimeout: VISIBILITY,
  heartbeatInterval: VISIBILITY / 2,
  handleMessageTimeout: TIME_LIMIT * 1000,
  terminateVisibilityTimeout: 1,
  pollingCompleteWaitTimeMs: 10000,
  handleMessage: async message => { await act(JSON.parse(message.Body)); return message; },
});
for (const event of ["error", "processing_error", "timeout_error"]) app.on(event, error => console.error(error.message));
process.on("SIGTERM", () => app.stop());
app.on("stopped", () => process.exit(0));
app.start();
