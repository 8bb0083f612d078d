import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedTasks } from './shared-tasks.ts';

/** A task that ends when the test says so. */
function gate() {
	const { promise, resolve, reject } = Promise.withResolvers<string>();
	let signal: AbortSignal | undefined;
	let starts = 0;
	const start = (given: AbortSignal): Promise<string> => {
		signal = given;
		starts += 1;
		return promise;
	};
	return { start, resolve, reject, starts: () => starts, isAborted: () => signal?.aborted };
}

test('a task runs once for all that ask while it runs, and again afterwards', async () => {
	const tasks = new SharedTasks<string>();
	const task = gate();
	const both = [tasks.run('a', task.start, undefined), tasks.run('a', task.start, undefined)];
	const other = tasks.run('b', async () => 'b', undefined);
	task.resolve('done');
	assert.deepEqual(await Promise.all([...both, other]), ['done', 'done', 'b']);
	assert.equal(task.starts(), 1);
	assert.equal(await tasks.run('a', async () => 'again', undefined), 'again');
});

test('a failure reaches all, and the next caller starts anew', async () => {
	const tasks = new SharedTasks<string>();
	const task = gate();
	const both = [tasks.run('a', task.start, undefined), tasks.run('a', task.start, undefined)];
	task.reject(new Error('failed'));
	for (const each of both) await assert.rejects(each, /failed/);
	assert.equal(await tasks.run('a', async () => 'again', undefined), 'again');
});

test('the task is aborted only when its last caller aborts, and is then not joined', async () => {
	const tasks = new SharedTasks<string>();
	const task = gate();
	const [first, second] = [new AbortController(), new AbortController()];
	const runs = [first, second].map(({ signal }) => tasks.run('a', task.start, signal));
	first.abort(new Error('first'));
	await assert.rejects(runs[0] ?? Promise.resolve(), /first/);
	assert.equal(task.isAborted(), false);
	second.abort(new Error('second'));
	await assert.rejects(runs[1] ?? Promise.resolve(), /second/);
	assert.equal(task.isAborted(), true);
	assert.equal(await tasks.run('a', async () => 'new', undefined), 'new');
	task.reject(new Error('aborted'));
	await assert.rejects(tasks.run('a', task.start, AbortSignal.abort(new Error('early'))), /early/);
	assert.equal(task.starts(), 1);
});
