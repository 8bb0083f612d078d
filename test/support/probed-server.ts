import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ROOT, temporaryFolder } from './processes.ts';
import { type ServerOptions, type StintServer, startStint } from './stint-server.ts';

/** A long turn of the event loop. */
export interface Hold {
	/** The CPU time of the turn, in milliseconds. */
	readonly heldMs: number;
	/** When the turn ended, in milliseconds since the epoch. */
	readonly at: number;
}

/** A server in a process of its own that records long turns of its event loop; see loop-probe.ts. */
export interface ProbedServer extends StintServer {
	/** All long turns so far, in order. */
	holds(): readonly Hold[];
}

/** Starts a server with the probe; see {@link startStint}. */
export async function startProbed(t: TestContext, options: ServerOptions = {}): Promise<ProbedServer> {
	const probe = join(temporaryFolder(t), 'holds');
	// As a URL, because Node splits NODE_OPTIONS at spaces: a path may contain them, a URL does not.
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
