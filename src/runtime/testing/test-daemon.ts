/** Daemons that tests start: each with a folder of its own, ended by its process id. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../../base/attempt.ts';
import { SystemClock, sleep } from '../../base/clock.ts';
import { removeTree } from '../../base/files/remove-tree.ts';

/** A daemon to start. */
export interface DaemonCommand {
	readonly program: string;
	readonly args: readonly string[];
	readonly env: Readonly<Record<string, string>>;
}

const ENV = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const LOG = 'log';
const READY_WITHIN_MS = 30_000;

/** Whether there is such a program. */
export function onPath(program: string): boolean {
	return attempt(() => execFileSync('sh', ['-c', `command -v ${program}`], { env: ENV })) !== undefined;
}

/** Starts a daemon whose output goes to a file of the folder. */
export function spawnDaemon(folder: string, { program, args, env }: DaemonCommand): ChildProcess {
	const log = openSync(join(folder, LOG), 'a');
	const daemon = spawn(program, args, { cwd: folder, stdio: ['ignore', log, log], env: { ...ENV, ...env } });
	closeSync(log);
	return daemon;
}

/** Resolves once `answers` resolves to true; rejects, with the end of its output, if the daemon does not get there. */
export async function untilReady(
	folder: string,
	daemon: ChildProcess,
	answers: () => Promise<boolean>,
): Promise<void> {
	const clock = new SystemClock({ keepsAlive: true });
	const deadline = clock.monotonic() + READY_WITHIN_MS;
	while (!(await answers().catch(() => false))) {
		if (daemon.exitCode !== null || clock.monotonic() > deadline) {
			daemon.kill('SIGKILL');
			throw new Error(`the daemon did not start: ${readFileSync(join(folder, LOG), 'utf8').slice(-2000)}`);
		}
		await sleep(clock, 20);
	}
}

/** Ends a daemon as a service manager does. */
export async function endDaemon(daemon: ChildProcess): Promise<void> {
	if (daemon.exitCode !== null || daemon.signalCode !== null) return;
	const exited = once(daemon, 'exit');
	daemon.kill('SIGTERM');
	await exited;
}

/** Removes the folder of a daemon that has ended, with its processes and mounts. */
export async function removeDaemonFolder(folder: string): Promise<void> {
	killLeft(folder);
	unmountBelow(folder);
	await removeTree(folder);
}

/** Kills remaining processes: Podman's monitors of commands stay for five minutes. Their arguments name the folder. */
function killLeft(folder: string): void {
	for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
		const args = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1')) ?? '';
		if (args.includes(`${folder}/`)) attempt(() => process.kill(Number(pid), 'SIGKILL'));
	}
}

function unmountBelow(folder: string): void {
	const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
	const below = mounts
		.map((line) => line.split(' ')[1] ?? '')
		.filter((path) => path.startsWith(`${folder}/`));
	for (const path of below.reverse())
		attempt(() => execFileSync('umount', ['-l', path], { stdio: 'ignore' }));
}
