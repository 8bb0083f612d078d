import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT, temporaryFolder } from './processes.ts';
import { type ServerOptions, type StintServer, startStint } from './stint-server.ts';

/** A turn of the event loop that took long. */
export interface Hold {
	/** How much CPU time it took. */
	readonly heldMs: number;
	/** When it ended, in milliseconds since 1970. */
	readonly at: number;
}

/** A server in a process of its own that notes each time that its event loop was held (loop-probe.ts). */
export interface ProbedServer extends StintServer {
	/** All that have been noted so far, in order. */
	holds(): readonly Hold[];
}

/** Starts such a server; see {@link startStint}. */
export async function startProbed(t: TestContext, options: ServerOptions = {}): Promise<ProbedServer> {
	const probe = join(temporaryFolder(t), 'holds');
	// By its URL, which has no space whatever the path has: Node splits its options at spaces.
	const module = pathToFileURL(join(ROOT, 'test/support/loop-probe.ts')).href;
	const env = { ...options.env, NODE_OPTIONS: `--import=${module}`, STINT_LOOP_PROBE: probe };
	const server = await startStint(t, { ...options, env });
	const file = `${probe}.${server.process.child.pid}`;
	return {
		...server,
		holds: () => {
			if (!existsSync(file)) return [];
			const lines = readFileSync(file, 'utf8').trim().split('\n');
			return lines.map((line) => JSON.parse(line));
		},
	};
}
