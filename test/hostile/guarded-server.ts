import type { TestContext } from 'node:test';
import { FuzzClient, type FuzzOutcome } from '../fuzz/fuzz-client.ts';
import { startProbed } from '../support/probed-server.ts';
import { temporaryFolder } from '../support/processes.ts';

/** The longest that one turn of the event loop may take, in milliseconds of CPU time. */
export const LONGEST_HOLD_MS = 100;

/** A server with the fake runtime and a probe of its event loop. */
export interface GuardedServer {
	readonly kubeconfig: string;
	readonly client: FuzzClient;
	/** The longest turn of the server's event loop since the last call, in milliseconds of CPU time. */
	heldMs(): Promise<number>;
}

/** Starts a server with a probe, by default with a new data folder; it stops at the end of the test. */
export async function startGuarded(t: TestContext, folder = temporaryFolder(t)): Promise<GuardedServer> {
	const server = await startProbed(t, { args: ['--runtime', 'fake'], folder });
	const client = new FuzzClient(server.kubeconfig);
	t.after(() => client.close());
	let reported = 0;
	return {
		kubeconfig: server.kubeconfig,
		client,
		heldMs: async () => {
			// The probe runs every 5 ms, so it has recorded the last turn once two more requests are answered.
			for (let time = 0; time < 2; time++) await ask(client, '/readyz');
			const fresh = server.holds().slice(reported);
			reported += fresh.length;
			return Math.max(0, ...fresh.map(({ heldMs }) => heldMs));
		},
	};
}

/** Sends a GET of the path. */
export function ask(client: FuzzClient, path: string): Promise<FuzzOutcome> {
	return client.send({ method: 'GET', path, accept: '*/*' });
}
