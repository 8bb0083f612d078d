import { execFile, execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Runtime } from '../src/runtime/contract.ts';
import { missingForSandbox, SandboxWorld } from '../src/runtime/sandbox/testing/sandbox-harness.ts';
import { containerConfig, sandboxConfig } from '../src/runtime/testing/configs.ts';
import { type Figure, quantile } from './figure.ts';
import { oneShotTimes } from './one-shot.ts';
import { runAll } from './runtime-limit.ts';

const COUNT = 400;
const WARM_UP = 40;
const CONCURRENCY = 50;
const BUSYBOX = '/bin/busybox';

/**
 * Containers with an image that is present, compared with runc (as root, if it is installed) and with plain processes; and
 * Jobs of an image, compared with Jobs of programs of the machine. Nothing is measured where images cannot be run.
 */
export async function images(): Promise<readonly Figure[]> {
	const missing = await missingForSandbox();
	if (missing !== undefined) {
		process.stderr.write(`images: ${missing}\n`);
		return [];
	}
	const world = await SandboxWorld.open();
	try {
		return [...(await containers(world)), ...(await oneShots(world))];
	} finally {
		await world.close();
	}
}

/** What {@link COUNT} runs took. */
interface Runs {
	readonly perSecond: number;
	/** Processor time of the whole machine for one of them, in ms. */
	readonly cpuMs: number;
}

async function containers(world: SandboxWorld): Promise<readonly Figure[]> {
	const plain = await measured(() => promisify(execFile)(BUSYBOX, ['true']).then(() => undefined));
	const sandbox = await sandboxRuns(world);
	const runc = await runcRuns();
	const processLimit = { name: 'plain processes, 50 at once', value: plain.cpuMs };
	return [
		{
			name: 'containers with an image, 50 at once',
			value: sandbox.perSecond,
			unit: '/s',
			...(runc && { limit: { name: 'runc, 50 at once', value: runc.perSecond } }),
			aim: '>= 4 times the limit',
			met: runc !== undefined && sandbox.perSecond >= 4 * runc.perSecond,
		},
		{
			name: 'CPU of a container with an image',
			value: sandbox.cpuMs,
			unit: 'ms',
			limit: processLimit,
			aim: '<= 2.5 times the limit',
			met: sandbox.cpuMs <= 2.5 * plain.cpuMs,
		},
	];
}

async function measured(run: (index: number) => Promise<void>): Promise<Runs> {
	const indexes = Array.from({ length: WARM_UP + COUNT }, (_, index) => `${index}`);
	const one = (index: string): Promise<void> => run(Number(index));
	await runAll(indexes.splice(0, WARM_UP), CONCURRENCY, one);
	const [started, cpu] = [performance.now(), busyMs()];
	await runAll(indexes, CONCURRENCY, one);
	const tookMs = performance.now() - started;
	return { perSecond: COUNT / (tookMs / 1000), cpuMs: (busyMs() - cpu) / COUNT };
}

/** The time that all processors have been busy: what others do on the machine counts too. */
function busyMs(): number {
	const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] =
		readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]?.split(/\s+/).map(Number) ?? [];
	// In hundredths of a second.
	return (user + nice + system + irq + softirq) * 10;
}

async function sandboxRuns(world: SandboxWorld): Promise<Runs> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-bench-'));
	const runtime = world.runtimeIn(folder);
	await runtime.start();
	const waiting = new Map<string, () => void>();
	runtime.subscribe(({ status: { id, state } }) => {
		if (state === 'exited') waiting.get(id)?.();
	});
	try {
		await runtime.pullImage(world.busybox);
		const ids = await makeContainers(runtime, { folder, image: world.busybox });
		return await measured((index) => {
			const id = ids[index] ?? '';
			const ended = new Promise<void>((resolve) => waiting.set(id, resolve));
			return runtime.startContainer(id).then(() => ended);
		});
	} finally {
		await runtime.stop({ killAll: true });
		rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
	}
}

async function makeContainers(
	runtime: Runtime,
	{ folder, image }: { readonly folder: string; readonly image: string },
): Promise<readonly string[]> {
	const sandbox = await runtime.runSandbox(sandboxConfig('bench'));
	const ids: string[] = [];
	for (let attempt = 0; attempt < WARM_UP + COUNT; attempt++) {
		const logPath = join(folder, `${attempt}.log`);
		const config = containerConfig({ attempt, image, command: ['true'], logPath });
		ids.push((await runtime.createContainer(sandbox.id, config)).id);
	}
	return ids;
}

/** `runc run` of the same program, with the configuration of `runc spec` and the network of the machine. */
async function runcRuns(): Promise<Runs | undefined> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-bench-runc-'));
	try {
		const bundle = join(folder, 'bundle');
		mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true });
		cpSync(BUSYBOX, join(bundle, 'rootfs/bin/busybox'));
		symlinkSync('busybox', join(bundle, 'rootfs/bin/true'));
		execFileSync('runc', ['spec', '--bundle', bundle]);
		const path = join(bundle, 'config.json');
		const spec = JSON.parse(readFileSync(path, 'utf8'));
		spec.process = { ...spec.process, terminal: false, args: ['true'] };
		spec.linux.namespaces = spec.linux.namespaces.filter(({ type }: { type: string }) => type !== 'network');
		writeFileSync(path, JSON.stringify(spec));
		const state = join(folder, 'state');
		return await measured(async (index) => {
			const child = spawn('runc', ['--root', state, 'run', '--bundle', bundle, `stint-bench-${index}`], {
				stdio: 'ignore',
			});
			const code = await new Promise((resolve) => child.once('close', resolve));
			if (code !== 0) throw new Error(`runc ended with ${code}`);
		});
	} catch (error) {
		process.stderr.write(`images: runc is not measured: ${error instanceof Error ? error.message : error}\n`);
		return undefined;
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

async function oneShots(world: SandboxWorld): Promise<readonly Figure[]> {
	const args = ['--runtime', 'sandbox', '--image-dir', join(world.root, 'images/store')];
	const ofPrograms = quantile(await oneShotTimes(), 0.5);
	const ofImages = quantile(await oneShotTimes({ args, image: world.busybox }), 0.5);
	return [
		{
			name: 'one-shot Job of an image, p50',
			value: ofImages,
			unit: 'ms',
			limit: { name: 'the same of a program of the machine', value: ofPrograms },
			aim: '<= 2 times the limit',
			met: ofImages <= 2 * ofPrograms,
		},
	];
}
