import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aborted } from '../aborted.ts';
import { runTogether } from './run-together.ts';

test('when a work fails, the others are aborted, and the first error is thrown once they have ended', async () => {
	const ended: string[] = [];
	const works = [
		async (signal: AbortSignal) => {
			await aborted(signal);
			await new Promise(setImmediate);
			ended.push('slow');
			throw new Error('too late');
		},
		() => Promise.reject(new Error('first')),
	];
	await assert.rejects(runTogether(works, new AbortController().signal), /^Error: first$/);
	assert.deepEqual(ended, ['slow']);
});

test('works run until their signal aborts, also after one of them has resolved', async () => {
	for (const isStopped of [false, true]) {
		const stop = new AbortController();
		if (isStopped) stop.abort();
		let ended = false;
		const works = [aborted, () => Promise.resolve()];
		const running = runTogether(works, stop.signal).then(() => {
			ended = true;
		});
		await new Promise(setImmediate);
		assert.equal(ended, isStopped);
		stop.abort();
		await running;
	}
});
