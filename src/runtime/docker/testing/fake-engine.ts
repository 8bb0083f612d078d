import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { EngineClient } from '../engine/engine-client.ts';

/** A client of an engine that answers as the test says, and a folder for the test. */
export async function fakeEngine(
	t: TestContext,
	answer: RequestListener,
): Promise<{ readonly client: EngineClient; readonly folder: string }> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-fake-engine-'));
	const engine = createServer(answer);
	t.after(() => {
		engine.close();
		rmSync(folder, { recursive: true });
	});
	const socketPath = join(folder, 'engine.sock');
	engine.listen(socketPath);
	await once(engine, 'listening');
	return { client: new EngineClient(socketPath), folder };
}
