import assert from 'node:assert/strict';
import test from 'node:test';
import type { ApiWatchSink } from '../api/contract/transport.ts';
import { followWatch } from './follow-watch.ts';

const object = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } };

test('followWatch ends when the listener returns true, when the watch ends and when its signal aborts', async () => {
	let stopped = 0;
	const watch = { stop: () => void stopped++ };
	const follow = (act: (sink: ApiWatchSink) => void, signal?: AbortSignal): Promise<boolean> =>
		followWatch({
			open: async (sink) => {
				setImmediate(() => act(sink));
				return watch;
			},
			events: (batch) => batch.some(({ type }) => type === 'DELETED'),
			signal,
		});
	assert.equal(await follow((sink) => sink.events([{ type: 'DELETED', object }])), true);
	assert.equal(await follow((sink) => sink.ended()), false);
	const stop = new AbortController();
	assert.equal(await follow(() => stop.abort(), stop.signal), false);
	await assert.rejects(
		follow((sink) => sink.ended(new Error('cut'))),
		/cut/,
	);
	assert.equal(stopped, 4);
});

test('a watch that ends before open() rejects causes no unhandled rejection', async () => {
	const unhandled: unknown[] = [];
	const listener = (error: unknown): void => void unhandled.push(error);
	process.on('unhandledRejection', listener);
	const followed = followWatch({
		open: async (sink) => {
			sink.ended(new Error('cut'));
			await new Promise(setImmediate);
			throw new Error('refused');
		},
		events: () => undefined,
	});
	await assert.rejects(followed, /refused/);
	await new Promise(setImmediate);
	process.off('unhandledRejection', listener);
	assert.deepEqual(unhandled, []);
});
