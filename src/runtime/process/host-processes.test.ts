import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ContainerStartError } from '../contract.ts';
import type { ProcessRuntime } from './process-runtime.ts';
import {
	type HostHarness,
	isAlive,
	openHost,
	outputOf,
	run,
	start,
	untilGone,
} from './testing/host-harness.ts';

const IS_LINUX = process.platform === 'linux';
/** The number of containers that one launcher starts in the test for leaks. */
const MANY = Number(process.env.STINT_MANY_CONTAINERS ?? 500);

for (const withoutShim of [false, true]) {
	describe(`the processes of a container, ${withoutShim ? 'as children of the launcher' : 'by the shim'}`, () => {
		let machine: HostHarness;
		let runtime: ProcessRuntime;
		beforeEach(async () => {
			machine = openHost({ withoutShim });
			runtime = machine.connect();
			await runtime.start();
		});
		afterEach(() => machine.close());

		const pidsIn = async (logPath: string, count: number): Promise<readonly number[]> => {
			for (;;) {
				const pids = (await machine.readLog(logPath)).match(/(?<= F )\d+$/gm) ?? [];
				if (pids.length >= count) return pids.map(Number);
				await machine.passTime(1);
			}
		};

		test('when the main process exits, the rest of its group is killed', async () => {
			// One process has an empty environment, so that the sweeper cannot find it by its mark.
			const script = 'sleep 1000000 & echo $!; env -i sleep 1000000 & echo $!';
			const exited = await run(runtime, machine.script(script));
			assert.equal(exited.exitCode, 0);
			for (const pid of await pidsIn(exited.logPath, 2)) await untilGone(pid);
		});

		test('SIGTERM goes to the main process only, and the others are killed after it has exited', async () => {
			const child = 'trap "echo child was asked" TERM; echo $$; while :; do sleep 0.01; done';
			const main = `trap "sleep 0.2; echo drained; exit 7" TERM; sh -c '${child}' & echo $$; wait`;
			const { status, exit } = await start(runtime, machine.script(main));
			const pids = await pidsIn(status.logPath, 2);
			await runtime.stopContainer(status.id, 30);
			const exited = await exit;
			assert.equal(exited.exitCode, 7);
			assert.deepEqual((await outputOf(machine, exited)).match(/[a-z].*/g), ['drained']);
			for (const pid of pids) await untilGone(pid);
		});

		test('a main process that ignores SIGTERM is killed with its whole group', async () => {
			const script = 'trap "" TERM; sleep 1000000 & echo $!; echo $$; wait; sleep 1000000';
			const { status, exit } = await start(runtime, machine.script(script));
			const pids = await pidsIn(status.logPath, 2);
			await runtime.stopContainer(status.id, 0.05);
			assert.equal((await exit).exitCode, 137);
			for (const pid of pids) await untilGone(pid);
		});

		test('a process that left the group and holds a pipe is killed, and delays the exit only briefly', {
			skip: !IS_LINUX,
		}, async () => {
			const exited = await run(runtime, machine.script('setsid sleep 1000000 & echo $!; sleep 0.05'));
			assert.equal(exited.exitCode, 0);
			for (const pid of await pidsIn(exited.logPath, 1)) await untilGone(pid);
		});

		test('a process that left the group and keeps writing is killed, and delays the exit only briefly', {
			skip: !IS_LINUX,
		}, async () => {
			const file = join(dirname(machine.folder), 'pid');
			const exited = await run(runtime, machine.script(`setsid yes & echo $! > ${file}; sleep 0.05`));
			assert.equal(exited.exitCode, 0);
			await untilGone(Number(readFileSync(file, 'utf8')));
		});

		test('a process that left the group and holds no pipe is killed', { skip: !IS_LINUX }, async () => {
			const daemon = 'setsid sh -c "setsid sleep 1000000 <&- >&- 2>&- & echo \\$!"; sleep 0.05';
			const exited = await run(runtime, machine.script(daemon));
			for (const pid of await pidsIn(exited.logPath, 1)) await untilGone(pid);
		});

		test('killAll kills processes that left their group before it resolves', {
			skip: !IS_LINUX,
		}, async () => {
			const script = 'setsid sleep 1000000 <&- >&- 2>&- & echo $!; echo $$; exec sleep 1000000';
			const { status } = await start(runtime, machine.script(script));
			const pids = await pidsIn(status.logPath, 2);
			await runtime.stop({ killAll: true });
			for (const pid of pids) await untilGone(pid);
		});

		test('a launcher does not kill the processes of another launcher with the same container id', {
			skip: !IS_LINUX,
		}, async () => {
			const left = 'setsid sleep 1000000 <&- >&- 2>&- & echo $!; exec sleep 1000000';
			const { status } = await start(runtime, machine.script(left));
			const pids = await pidsIn(status.logPath, 1);
			const other = openHost();
			try {
				const others = other.connect();
				await others.start();
				const exited = await run(others, other.script('exit 3'));
				assert.equal(exited.id, status.id);
			} finally {
				await other.close();
			}
			assert.equal((await runtime.listContainers())[0]?.state, 'running');
			for (const pid of pids) assert.ok(isAlive(pid));
		});

		test('a container does not inherit the environment of the server', async () => {
			process.env.STINT_TEST_SECRET = 'secret';
			const env = [
				{ name: 'GIVEN', value: 'a\nb' },
				{ name: 'EMPTY', value: '' },
				{ name: 'STINT_CONTAINER_ID', value: 'another' },
			];
			const exited = await run(runtime, machine.script('env -0 | tr "\\0\\n" "\\n|"', { env }));
			const names = (await outputOf(machine, exited)).trim().split('\n').sort();
			const own = ['_=', 'PWD=', 'SHLVL='];
			const given = names.filter((line) => !own.some((name) => line.startsWith(name)));
			assert.deepEqual(
				given.map((line) => line.replace(/^(PATH|HOME)=.+/, '$1').replace(/@[\w-]{36}$/, '')),
				['EMPTY=', 'GIVEN=a|b', 'HOME', 'HOSTNAME=host-a', 'PATH', `STINT_CONTAINER_ID=${exited.id}`],
			);
		});

		test('standard input is empty, and standard output and error can be opened by name', async () => {
			const script = 'cat; echo out > /dev/stdout; echo err > /dev/stderr; echo tee | tee /dev/stderr';
			const exited = await run(runtime, machine.script(script));
			assert.equal(exited.exitCode, 0);
			assert.deepEqual((await outputOf(machine, exited)).trim().split('\n').sort(), [
				'err',
				'out',
				'tee',
				'tee',
			]);
		});

		test('the working directory is private, shared by the containers of a sandbox, and removed with it', async () => {
			const first = await run(runtime, machine.script('pwd; echo kept > file; mkdir -p a/b'));
			const folder = (await outputOf(machine, first)).trim();
			const again = { name: 'other', logPath: machine.logPath('other') };
			const second = await run(runtime, machine.script('cat file', again));
			assert.equal(await outputOf(machine, second), 'kept\n');
			const other = await run(runtime, machine.script('ls -A; pwd', { logPath: machine.logPath('b') }), 'b');
			assert.notEqual((await outputOf(machine, other)).trim(), folder);
			await runtime.removeSandbox(first.sandboxId);
			assert.equal(existsSync(folder), false);
		});

		test('the log contains binary output unchanged', async () => {
			const copy = join(dirname(machine.folder), 'copy');
			const script = `head -c 300000 /dev/urandom | tee ${copy}`;
			const exited = await run(runtime, machine.script(script));
			const parts: Buffer[] = [];
			const log = readFileSync(exited.logPath);
			for (let at = 0; at < log.length; ) {
				const end = log.indexOf('\n', at);
				const header = log.toString('latin1', at, at + 50).match(/^\S+ stdout ([FP]) /);
				assert.ok(header);
				parts.push(log.subarray(at + header[0].length, header[1] === 'F' ? end + 1 : end));
				at = end + 1;
			}
			assert.ok(Buffer.concat(parts).equals(readFileSync(copy)));
		});

		test('the log contains a lot of output completely and in order', async () => {
			const exited = await run(runtime, machine.script('seq 1 100000; seq 1 100000 >&2'));
			const log = await machine.readLog(exited.logPath);
			for (const stream of ['stdout', 'stderr']) {
				const lines = log.match(new RegExp(`(?<= ${stream} F ).*$`, 'gm')) ?? [];
				assert.equal(lines.length, 100_000);
				assert.ok(lines.every((line, index) => line === String(index + 1)));
			}
		});

		test('a container that floods its log fills neither memory nor disk, and does not delay others', async () => {
			await runtime.stop();
			runtime = machine.connect({ logMaxBytes: 1 << 20 });
			await runtime.start();
			const floods = ['x', 'y', 'z'].map((pod) =>
				start(runtime, machine.script('yes', { logPath: machine.logPath(pod) }), pod),
			);
			const [first] = await Promise.all(floods);
			assert.ok(first);
			const parts = (): readonly string[] =>
				readdirSync(dirname(first.status.logPath)).filter((name) => name.startsWith('x.log'));
			while (!existsSync(first.status.logPath) || parts().length < 5) await machine.passTime(1);
			for (let pod = 0; pod < 20; pod++) {
				const config = { ...machine.script('true'), logPath: machine.logPath(`quick-${pod}`) };
				assert.equal((await run(runtime, config, `quick-${pod}`)).exitCode, 0);
			}
			assert.ok(parts().length <= 6, `${parts()}`);
			if (IS_LINUX) assert.ok(residentMiB(machine.launcherPid()) < 200);
		});

		test(`${MANY} containers leave no container and no descriptor behind`, {
			skip: !IS_LINUX,
		}, async () => {
			await run(runtime, machine.script('true'), 'warm-up');
			const files = (): number => readdirSync(`/proc/${machine.launcherPid()}/fd`).length;
			const before = files();
			let next = 0;
			const work = async (): Promise<void> => {
				while (next < MANY) {
					const pod = `pod-${next++}`;
					const config = { ...machine.script(''), command: ['/bin/true'], logPath: machine.logPath(pod) };
					const exited = await run(runtime, config, pod);
					assert.equal(exited.exitCode, 0);
					await runtime.removeSandbox(exited.sandboxId);
				}
			};
			await Promise.all(Array.from({ length: 50 }, work));
			assert.equal((await runtime.listContainers()).length, 1);
			assert.ok(files() <= before + 5, `${files()} open files, ${before} before`);
		});
	});
}

describe('a program that cannot be started', () => {
	let pods = 0;
	let machine: HostHarness;
	let runtime: ProcessRuntime;
	beforeEach(async () => {
		machine = openHost();
		runtime = machine.connect();
		await runtime.start();
	});
	afterEach(() => machine.close());

	const program = (name: string, text: string, mode: number): string => {
		const path = join(dirname(machine.folder), name);
		writeFileSync(path, text);
		chmodSync(path, mode);
		return path;
	};
	const messageOf = async (command: readonly string[], workingDir = ''): Promise<string> => {
		const pod = `pod-${pods++}`;
		const config = { ...machine.script(''), command, workingDir, logPath: machine.logPath(pod) };
		const error = await start(runtime, config, pod).then(
			() => undefined,
			(reason: unknown) => reason,
		);
		assert.ok(error instanceof ContainerStartError, `${command} was started`);
		return error.message;
	};

	test('has a message in the words of runc', async () => {
		assert.equal(await messageOf(['nowhere']), 'exec: "nowhere": executable file not found in $PATH');
		assert.equal(
			await messageOf(['/no/where']),
			'exec: "/no/where": stat /no/where: no such file or directory',
		);
		const plain = program('plain', 'text', 0o600);
		assert.equal(await messageOf([plain]), `exec: "${plain}": permission denied`);
		const orphan = program('orphan', '#!/no/interpreter\n', 0o700);
		assert.equal(await messageOf([orphan]), `exec: "${orphan}": no such file or directory`);
		assert.equal(
			await messageOf(['true'], '/no/folder'),
			'chdir to workingDir ("/no/folder") failed: no such file or directory',
		);
		assert.equal(
			await messageOf(['true'], plain),
			`chdir to workingDir ("${plain}") failed: not a directory`,
		);
		assert.match(await messageOf(['echo', 'x'.repeat(3 << 20)]), /argument list too long/);
		assert.match(await messageOf(['echo', 'a\0b']), /zero byte/);
	});

	test('is searched for in the PATH by its base name if its absolute path does not exist', async () => {
		const command = ['/no/such/image/folder/sh', '-c', 'echo found'];
		const exited = await run(runtime, { ...machine.script(''), command });
		assert.equal(await outputOf(machine, exited), 'found\n');
	});
});

function residentMiB(pid: number): number {
	const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
	return Number(kib) / 1024;
}
