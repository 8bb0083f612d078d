import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../src/base/clock.ts';
import { LauncherClient } from '../src/runtime/process/launcher/launcher-client.ts';
import { sandboxConfig } from '../src/runtime/testing/configs.ts';

const WARM_UP = 200;

/**
 * The number of processes per second that the launcher alone can start and reap, `concurrency` at a time:
 * `count` runs of /bin/true, each with its output in a pipe, its end written to the journal and reported. The
 * containers are created before the measurement starts.
 */
export async function launcherLimit(options: { count: number; concurrency: number }): Promise<number> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-limit-'));
	const waiting = new Map<string, () => void>();
	const client = await LauncherClient.reach({
		folder,
		clock: new SystemClock(),
		onStatus: ({ id, state }) => {
			if (state === 'exited') waiting.get(id)?.();
		},
		onLost: () => {},
	});
	try {
		const ids = await makeContainers(client, folder, WARM_UP + options.count);
		const run = (id: string): Promise<void> => {
			const ended = new Promise<void>((resolve) => waiting.set(id, resolve));
			return client.call('startContainer', id).then(() => ended);
		};
		await runAll(ids.splice(0, WARM_UP), options.concurrency, run);
		const started = performance.now();
		await runAll(ids, options.concurrency, run);
		return options.count / ((performance.now() - started) / 1000);
	} finally {
		await client.killAll();
		rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
	}
}

async function makeContainers(client: LauncherClient, folder: string, count: number): Promise<string[]> {
	const sandbox = await client.call('runSandbox', sandboxConfig('limit'));
	const program = { argv: ['/bin/true'], env: { PATH: '/usr/bin:/bin' }, workingDir: '' };
	const common = {
		name: 'c',
		image: 'none',
		imageRef: 'none',
		program,
		logMaxBytes: 10 << 20,
		logMaxFiles: 5,
	};
	const making = Array.from({ length: count }, (_, attempt) => {
		return client.call('createContainer', sandbox.id, {
			...common,
			attempt,
			logPath: join(folder, `${attempt}.log`),
		});
	});
	return (await Promise.all(making)).map(({ id }) => id);
}

async function runAll(
	ids: readonly string[],
	concurrency: number,
	run: (id: string) => Promise<void>,
): Promise<void> {
	let next = 0;
	const work = async (): Promise<void> => {
		for (let id = ids[next++]; id !== undefined; id = ids[next++]) await run(id);
	};
	await Promise.all(Array.from({ length: concurrency }, work));
}
