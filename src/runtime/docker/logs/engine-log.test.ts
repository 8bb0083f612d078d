import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SystemClock } from '../../../base/clock.ts';
import { DescriptorPool } from '../../process/output/descriptor-pool.ts';
import { EngineClient } from '../engine/engine-client.ts';
import { EngineLog } from './engine-log.ts';
import { frame } from './testing/frame.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'stint-engine-log-'));
after(() => rmSync(FOLDER, { recursive: true }));

const ENTRIES = ['line 1\n', 'line 2\n', 'rest'].map((text, index) =>
	frame(1, `2026-01-31T08:00:00.00000000${index}Z ${text}`),
);

test('a log is complete though the engine ends the stream of it before the last line', async () => {
	const ended = Promise.withResolvers<void>();
	// As Docker 20.10 does in a fifth of all cases.
	const engine = createServer(({ url = '' }, response) => {
		const isFollowed = url.includes('follow=1');
		response.end(Buffer.concat(isFollowed ? ENTRIES.slice(0, -1) : ENTRIES));
		if (isFollowed) response.once('finish', ended.resolve);
	});
	const socketPath = join(FOLDER, 'engine.sock');
	engine.listen(socketPath);
	await once(engine, 'listening');
	try {
		const path = join(FOLDER, 'log');
		const log = new EngineLog(
			{
				client: new EngineClient(socketPath),
				clock: new SystemClock(),
				descriptors: new DescriptorPool(1),
				maxBytes: 1_000_000,
				maxFiles: 2,
				stamp: () => '2026-01-31T08:00:00.000000000Z',
				onError: (error) => assert.fail(String(error)),
			},
			{ engineId: 'a', tty: false, path },
		);
		log.follow();
		await ended.promise;
		await log.complete();
		const lines = readFileSync(path, 'utf8').split('\n');
		assert.deepEqual(
			lines.map((line) => line.replace(/^\S+ stdout /, '')),
			['F line 1', 'F line 2', 'P rest', ''],
		);
	} finally {
		engine.close();
	}
});
