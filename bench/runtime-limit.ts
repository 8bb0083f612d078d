import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mount } from '../src/api/contract/container-config.ts';
import { SystemClock } from '../src/base/clock.ts';
import type { Runtime } from '../src/runtime/contract.ts';
import { ImageTable } from '../src/runtime/process/images/image-table.ts';
import { ProcessRuntime } from '../src/runtime/process/process-runtime.ts';
import { containerConfig, sandboxConfig } from '../src/runtime/testing/configs.ts';

const WARM_UP = 200;

/**
 * The number of containers per second that the process runtime alone can start and reap, `concurrency` at a time:
 * `count` runs of /bin/true, isolated as in a Pod that says nothing, each with the mounts of its token, its /etc/hosts and
 * its termination message, its output in a pipe, its end written to the journal and reported. The containers are created
 * before the measurement starts.
 */
export async function runtimeLimit(options: { count: number; concurrency: number }): Promise<number> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-limit-'));
	const runtime = new ProcessRuntime({
		folder: join(folder, 'runtime'),
		clock: new SystemClock(),
		images: new ImageTable(join(folder, 'images.yaml')),
		version: 'bench',
		onError: (error) => {
			throw error;
		},
	});
	await runtime.start();
	const waiting = new Map<string, () => void>();
	runtime.subscribe(({ status: { id, state } }) => {
		if (state === 'exited') waiting.get(id)?.();
	});
	try {
		const ids = await makeContainers(runtime, folder, WARM_UP + options.count);
		const run = (id: string): Promise<void> => {
			const ended = new Promise<void>((resolve) => waiting.set(id, resolve));
			return runtime.startContainer(id).then(() => ended);
		};
		await runAll(ids.splice(0, WARM_UP), options.concurrency, run);
		const started = performance.now();
		await runAll(ids, options.concurrency, run);
		return options.count / ((performance.now() - started) / 1000);
	} finally {
		await runtime.stop({ killAll: true });
		rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
	}
}

async function makeContainers(runtime: Runtime, folder: string, count: number): Promise<string[]> {
	const sandbox = await runtime.runSandbox(sandboxConfig('limit'));
	const [token, hosts, message] = [join(folder, 'token'), join(folder, 'hosts'), join(folder, 'message')];
	mkdirSync(token);
	for (const file of [hosts, message]) writeFileSync(file, '');
	const mounts = [
		mountOf(token, '/var/run/secrets/kubernetes.io/serviceaccount', true),
		mountOf(hosts, '/etc/hosts', false),
	];
	const making = Array.from({ length: count }, (_, attempt) =>
		runtime.createContainer(
			sandbox.id,
			containerConfig({
				attempt,
				command: ['/bin/true'],
				mounts,
				terminationMessagePath: '/dev/termination-log',
				terminationMessageFile: message,
				logPath: join(folder, `${attempt}.log`),
			}),
		),
	);
	return (await Promise.all(making)).map(({ id }) => id);
}

function mountOf(hostPath: string, containerPath: string, readOnly: boolean): Mount {
	const rest = { subPath: '', recursiveReadOnly: 'Disabled', propagation: 'None' } as const;
	return { hostPath, containerPath, readOnly, ...rest };
}

/** Runs all, `concurrency` at a time. */
export async function runAll(
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
