import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { linesMissingAt } from '../../../api/contract/log-gap.ts';
import { SystemClock } from '../../../base/clock.ts';
import type { RuntimeContainer } from '../../contract.ts';
import { ImageTable } from '../images/image-table.ts';
import { ProcessRuntime } from '../process-runtime.ts';
import { type HostHarness, isAlive, openHost, run, start, untilGone } from '../testing/host-harness.ts';

const IS_LINUX = process.platform === 'linux';

/** A runtime whose launcher uses the given folder. */
function runtimeIn(folder: string): ProcessRuntime {
	const images = new ImageTable(join(folder, '..', 'images.yaml'));
	return new ProcessRuntime({ folder, clock: new SystemClock(), images, version: 'test', onError: () => {} });
}

describe('the folder of a launcher', () => {
	let machine: HostHarness;
	let root: string;
	beforeEach(() => {
		machine = openHost();
		root = dirname(machine.folder);
	});
	afterEach(() => machine.close());

	const open = async (): Promise<ProcessRuntime> => {
		const runtime = machine.connect();
		await runtime.start();
		await runtime.stopSandbox('none');
		return runtime;
	};
	const pidOf = async ({ logPath }: RuntimeContainer): Promise<number> => {
		for (;;) {
			const [pid] = /(?<= F )\d+$/m.exec(await machine.readLog(logPath)) ?? [];
			if (pid) return Number(pid);
			await machine.passTime(1);
		}
	};

	test('may be copied: a launcher of the copy kills no process of the original, with or without the lock', {
		skip: !IS_LINUX,
	}, async () => {
		const runtime = await open();
		const { status } = await start(runtime, machine.script('echo $$; exec sleep 1000000'));
		const pid = await pidOf(status);
		for (const name of ['copy', 'copy-without-lock']) {
			const copy = join(root, name);
			execFileSync('cp', ['-a', machine.folder, copy]);
			if (name !== 'copy') rmSync(join(copy, 'launcher.lock'));
			const other = runtimeIn(copy);
			const startedAt = performance.now();
			await other.start();
			assert.ok(performance.now() - startedAt < 10_000, 'it is not waited for the launcher of the original');
			const [lost] = await other.listContainers();
			assert.equal(lost?.state === 'exited' && lost.reason, 'ContainerStatusUnknown');
			await other.stop({ killAll: true });
			assert.ok(isAlive(pid));
		}
		assert.equal((await runtime.listContainers())[0]?.state, 'running');
	});

	test('may be renamed: it keeps its identity', { skip: !IS_LINUX }, async () => {
		const runtime = await open();
		const { status } = await start(runtime, machine.script('echo $$; exec sleep 1000000'));
		const pid = await pidOf(status);
		await runtime.stop();
		const moved = `${machine.folder}-moved`;
		renameSync(machine.folder, moved);
		const later = runtimeIn(moved);
		await later.start();
		assert.equal((await later.listContainers())[0]?.state, 'running');
		await later.stop({ killAll: true });
		await untilGone(pid);
	});

	test('may be removed and created again: the earlier launcher does not touch the new one', {
		skip: !IS_LINUX,
	}, async () => {
		const runtime = await open();
		const { status } = await start(runtime, machine.script('echo $$; exec sleep 1000000'));
		const first = machine.launcherPid();
		renameSync(machine.folder, `${machine.folder}-gone`);
		const later = runtimeIn(machine.folder);
		await later.start();
		await later.stopSandbox('none');
		const second = machine.launcherPid();
		assert.notEqual(first, second);
		const config = { ...machine.script('echo > file; echo $$; exec sleep 1000000'), name: 'later' };
		const other = await start(later, { ...config, logPath: machine.logPath('later') }, 'b');
		await pidOf(other.status);
		const before = readdirSync(machine.folder).sort();
		await runtime.removeSandbox(status.sandboxId);
		await runtime.stop();
		await untilGone(first);
		assert.deepEqual(readdirSync(machine.folder).sort(), before);
		assert.deepEqual(readdirSync(join(machine.folder, 'sandboxes', '0')), ['file']);
		assert.equal((await later.listContainers())[0]?.state, 'running');
		await later.stop({ killAll: true });
	});

	test('is not cleaned up by a launcher that has lost the lock', async () => {
		const runtime = await open();
		const pid = machine.launcherPid();
		// The state after a later launcher has found no lock and created its own.
		rmSync(join(machine.folder, 'launcher.lock'));
		writeFileSync(join(machine.folder, 'launcher.lock'), '{"pid":2,"start":"1","startedAt":0}');
		await runtime.stop();
		await untilGone(pid);
		for (const name of ['journal', 'launcher.sock', 'launcher.lock', 'pipes'])
			assert.ok(existsSync(join(machine.folder, name)), name);
	});

	test('is refused if it or a folder in it is a link, and the files of the target stay', async () => {
		const precious = join(root, 'precious');
		for (const name of ['sandboxes', 'pipes']) {
			mkdirSync(join(precious, '0'), { recursive: true });
			mkdirSync(machine.folder, { recursive: true, mode: 0o700 });
			// The runtime waits for the launcher only if a journal exists.
			writeFileSync(join(machine.folder, 'journal'), '');
			symlinkSync(precious, join(machine.folder, name));
			const runtime = machine.connect();
			await assert.rejects(runtime.start(), new RegExp(`${name} is a symbolic link`));
			await runtime.stop();
			assert.deepEqual(readdirSync(precious), ['0']);
			rmSync(machine.folder, { recursive: true });
		}
		symlinkSync(precious, machine.folder);
		await assert.rejects(open(), /is a symbolic link/);
		rmSync(machine.folder);
		mkdirSync(machine.folder, { mode: 0o700 });
	});

	test('is usable with planted links, and nothing is written through them', async () => {
		const target = join(root, 'target');
		writeFileSync(target, 'untouched');
		mkdirSync(machine.folder, { mode: 0o700 });
		for (const name of ['journal.next', 'launcher.sock']) symlinkSync(target, join(machine.folder, name));
		const runtime = await open();
		assert.equal((await run(runtime, machine.script('exit 3'))).exitCode, 3);
		assert.equal(readFileSync(target, 'utf8'), 'untouched');
	});

	test('is usable with a damaged journal, of which the valid lines count', async () => {
		const runtime = await open();
		const exited = await run(runtime, machine.script('exit 3'));
		const pid = machine.launcherPid();
		await runtime.stop();
		await untilGone(pid);
		const journal = join(machine.folder, 'journal');
		writeFileSync(journal, `null\n5\n{"sandbox":null}\n${readFileSync(journal, 'utf8')}{"cont`);
		const later = await open();
		assert.deepEqual(await later.listContainers(), [exited]);
		assert.match(
			readFileSync(join(machine.folder, 'launcher.log'), 'utf8'),
			/ignored 4 damaged lines of the journal/,
		);
	});
});

const isRoot = process.getuid?.() === 0;

describe('a disk that is full', { skip: !IS_LINUX || !isRoot }, () => {
	let machine: HostHarness;
	let disk: string;
	beforeEach(() => {
		machine = openHost();
		disk = join(dirname(machine.folder), 'disk');
		mkdirSync(disk);
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', disk]);
	});
	afterEach(async () => {
		await machine.close().catch(() => undefined);
		execFileSync('umount', ['-l', disk], { stdio: 'ignore' });
	});

	const fill = (): void => {
		try {
			writeFileSync(join(disk, 'filler'), Buffer.alloc(2 << 20));
		} catch {
			// The disk is full now.
		}
	};

	test('does not stop the launcher: it reports exits, starts wait, and no entry is lost', async () => {
		const folder = join(disk, 'runtime');
		const runtime = runtimeIn(folder);
		await runtime.start();
		const log = machine.logPath('main');
		const waiting = machine.script('while [ ! -e go ]; do sleep 0.02; done; exit 5', { logPath: log });
		// Long enough that its journal entries do not fit the free part of the journal's last page.
		const long = 'p'.repeat(8192);
		const { exit } = await start(runtime, waiting, long);
		fill();
		// A folder takes no space on a tmpfs: the sandbox is created, and the container's start fails.
		mkdirSync(join(folder, 'sandboxes', '0', 'go'));
		assert.equal((await exit).exitCode, 5);
		const config = machine.script('true', { name: 'second' });
		await assert.rejects(start(runtime, config, long), (error) => {
			return error instanceof Error && error.message.includes('no space left on device');
		});
		const launcher = JSON.parse(readFileSync(join(folder, 'launcher.lock'), 'utf8')).pid;
		const busy = cpuOf(launcher);
		for (let call = 0; call < 50; call++) await runtime.listContainers();
		assert.ok(cpuOf(launcher) - busy < 100, 'the launcher does not spin');
		rmSync(join(disk, 'filler'));
		const second = { ...config, logPath: machine.logPath('second') };
		assert.equal((await run(runtime, second, long)).exitCode, 0);
		process.kill(launcher, 'SIGKILL');
		await untilGone(launcher);
		await runtime.stop();
		const later = runtimeIn(folder);
		await later.start();
		const ends = (await later.listContainers()).map((each) => each.state === 'exited' && each.exitCode);
		assert.deepEqual(ends.sort(), [0, 5], 'the exit that happened on a full disk was written later');
		await later.stop({ killAll: true });
	});

	test('drops the lines of a container that did not fit, and the log says how many', async () => {
		const runtime = machine.connect();
		await runtime.start();
		const logPath = join(disk, 'log', '0.log');
		const waitFor = (name: string): string => `while [ ! -e ${name} ]; do sleep 0.02; done`;
		const script = `echo first; ${waitFor('go')}; seq 1 5000; ${waitFor('on')}; echo last`;
		const { exit } = await start(runtime, machine.script(script, { logPath }));
		const work = join(machine.folder, 'sandboxes', '0');
		while (!(await machine.readLog(logPath)).includes('first')) await machine.passTime(1);
		fill();
		mkdirSync(join(work, 'go'));
		// By then the launcher has tried to write.
		const errors = join(machine.folder, 'launcher.log');
		while (!readFileSync(errors, 'utf8').includes('ENOSPC')) await machine.passTime(1);
		rmSync(join(disk, 'filler'));
		mkdirSync(join(work, 'on'));
		assert.equal((await exit).exitCode, 0);
		const texts = (await machine.readLog(logPath))
			.trimEnd()
			.split('\n')
			.map((line) => line.slice(40));
		const missing = texts.map(linesMissingAt).reduce((sum, lines) => sum + lines, 0);
		assert.ok(missing > 0);
		const gaps = texts.filter((text) => linesMissingAt(text) > 0);
		for (const gap of gaps) assert.match(gap, /they could not be written: ENOSPC: no space left on device/);
		assert.equal(texts.length - gaps.length + missing, 5002);
		assert.deepEqual([texts[0], texts.at(-1)], ['first', 'last']);
	});
});

/** CPU time of a process in hundredths of a second. */
function cpuOf(pid: number): number {
	const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
	return Number(fields[11]) + Number(fields[12]);
}
