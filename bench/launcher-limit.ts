import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../src/base/clock.ts';
import { ImageTable } from '../src/node/runtime/process/image-table.ts';
import { ProcessRuntime } from '../src/node/runtime/process/process-runtime.ts';

/**
 * How many processes a second the launcher alone starts and reaps, with their logs piped: `count` times
 * `/bin/true`, `concurrency` at a time, each in a sandbox of its own as a Pod's would be.
 */
export async function launcherLimit({
	count,
	concurrency,
}: {
	count: number;
	concurrency: number;
}): Promise<number> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-bench-'));
	const images = new ImageTable(join(folder, 'images.yaml'));
	const fail = (error: unknown): void => {
		throw error;
	};
	const runtime = new ProcessRuntime({
		folder,
		clock: new SystemClock(),
		images,
		version: 'bench',
		onError: fail,
	});
	await runtime.start();
	const exits = new Map<string, () => void>();
	runtime.subscribe(({ status }) => {
		if (status.state === 'exited') exits.get(status.podUid)?.();
	});
	const runOne = async (podUid: string): Promise<void> => {
		const exited = new Promise<void>((resolve) => exits.set(podUid, resolve));
		const sandbox = await runtime.runSandbox({
			podUid,
			podName: podUid,
			podNamespace: 'bench',
			hostname: podUid,
			attempt: 0,
		});
		const container = await runtime.createContainer(sandbox.id, {
			...{
				name: 'main',
				attempt: 0,
				image: 'busybox',
				command: ['/bin/true'],
				args: [],
				env: [],
				workingDir: '',
			},
			...{ logPath: join(folder, `${podUid}.log`), stdin: false, tty: false },
		});
		await runtime.startContainer(container.id);
		await exited;
		await runtime.removeSandbox(sandbox.id);
	};
	await runOne('warm-up');
	let next = 0;
	const work = async (): Promise<void> => {
		while (next < count) {
			next += 1;
			await runOne(`pod-${next}`);
		}
	};
	const started = performance.now();
	await Promise.all(Array.from({ length: concurrency }, work));
	const rate = count / ((performance.now() - started) / 1000);
	await runtime.stop({ killAll: true });
	rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
	return rate;
}
