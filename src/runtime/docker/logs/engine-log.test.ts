import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fakeEngine } from '../testing/fake-engine.ts';
import { EngineLog } from './engine-log.ts';
import { frame } from './testing/frame.ts';
import { logSettings } from './testing/log-settings.ts';

const ENTRIES = ['line 1\n', 'line 2\n', 'rest'].map((text, index) =>
	frame(1, `2026-01-31T08:00:00.00000000${index}Z ${text}`),
);

test('a log is complete though the engine ends the stream of it before the last line', async (t) => {
	const ended = Promise.withResolvers<void>();
	// As Docker 20.10 does in a fifth of all cases.
	const { client, folder } = await fakeEngine(t, ({ url = '' }, response) => {
		const isFollowed = url.includes('follow=1');
		response.end(Buffer.concat(isFollowed ? ENTRIES.slice(0, -1) : ENTRIES));
		if (isFollowed) response.once('finish', ended.resolve);
	});
	const path = join(folder, 'log');
	const log = new EngineLog(logSettings(client), { engineId: 'a', tty: false, path });
	log.follow();
	await ended.promise;
	await log.complete();
	const lines = readFileSync(path, 'utf8').split('\n');
	assert.deepEqual(
		lines.map((line) => line.replace(/^\S+ stdout /, '')),
		['F line 1', 'F line 2', 'P rest', ''],
	);
});
