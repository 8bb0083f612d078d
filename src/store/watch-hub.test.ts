import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from './store.ts';
import { RecordingSink } from './testing/recording-sink.ts';
import { WatchHub } from './watch-hub.ts';

function put(key: string, revision: number): Change {
	const entry = { key, value: new Uint8Array(), revision, createRevision: revision };
	return { type: 'put', revision, entry, previous: undefined };
}

test('an error of the log ends the watch that reads it, and no other', async () => {
	const broken = new Error('disk I/O error');
	const hub = new WatchHub(
		{
			revision: 9,
			compacted: 0,
			changes: () => {
				throw broken;
			},
		},
		setImmediate,
	);
	const [behind, live] = [new RecordingSink(), new RecordingSink()];
	hub.open({ prefix: '', after: 3 }, behind);
	hub.open({ prefix: '', after: 9 }, live);
	await behind.untilEnded();
	assert.equal(behind.error, broken);
	hub.publish([put('a', 10)]);
	assert.deepEqual(live.keys, ['a']);
	assert.equal(live.error, undefined);
	assert.deepEqual(behind.keys, []);
});
