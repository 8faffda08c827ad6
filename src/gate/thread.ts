// The entry of the thread that judges edges: thousands of policies take a second, and heals must not wait for that.
import { parentPort } from 'node:worker_threads';
import { EdgeJudge, type Ask, type Difference } from './judge.ts';

const judge = new EdgeJudge();
const port = parentPort!;

// What it throws ends the thread, and the one who asked hears of it.
port.on('message', (message: Difference | Ask) => {
  if ('put' in message) judge.take(message);
  else port.postMessage(judge.judge(message));
});
