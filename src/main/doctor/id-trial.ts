import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { findProgram } from '../../base/files/programs.ts';
import { messageOf } from '../../base/message-of.ts';
import type { IdFacts, Trial } from '../../plan/doctor/facts.ts';
import { rangesOf, type SubordinateRange } from '../../plan/doctor/subordinate-ranges.ts';
import { textOf } from './system-texts.ts';

/** The subordinate ids of this user, and whether newuidmap gives them to a user namespace. */
export async function inspectIds(userName: string): Promise<IdFacts> {
	const uids = rangesOf(textOf('/etc/subuid'));
	const gids = rangesOf(textOf('/etc/subgid'));
	const own = longestOf(uids, userName);
	return {
		subuids: own?.length ?? 0,
		subgids: longestOf(gids, userName)?.length ?? 0,
		taken: [...uids, ...gids],
		newuidmap: await tryNewuidmap(own),
	};
}

function longestOf(ranges: readonly SubordinateRange[], userName: string): SubordinateRange | undefined {
	const names = [userName, String(process.getuid?.())];
	return ranges
		.filter(({ user }) => names.includes(user))
		.reduce<SubordinateRange | undefined>(
			(longest, each) => (each.length > (longest?.length ?? 0) ? each : longest),
			undefined,
		);
}

async function tryNewuidmap(range: SubordinateRange | undefined): Promise<Trial> {
	const newuidmap = findProgram('newuidmap');
	const unshare = findProgram('unshare');
	if (newuidmap === undefined) return { kind: 'untried', why: 'there is no newuidmap on PATH' };
	if (range === undefined) return { kind: 'untried', why: 'there are no subordinate ids to map' };
	if (unshare === undefined) return { kind: 'untried', why: 'there is no unshare on PATH' };
	// It runs until its input ends: the map of a process without one can be written once.
	const waiting = spawn(unshare, ['-U', 'sh', '-c', 'echo; cat >/dev/null'], {
		stdio: ['pipe', 'pipe', 'ignore'],
	});
	try {
		if (!(await isReady(waiting))) return { kind: 'untried', why: 'unshare could make no user namespace' };
		const uid = String(process.getuid?.() ?? 0);
		const map = ['0', uid, '1', '1', String(range.first), String(range.length)];
		await promisify(execFile)(newuidmap, [String(waiting.pid), ...map], { timeout: 5000 });
		return { kind: 'allowed' };
	} catch (error) {
		return { kind: 'refused', code: messageOf(error).trim(), step: 'newuidmap' };
	} finally {
		waiting.stdin?.destroy();
	}
}

/** Whether the process has written its first line; false if it has ended. */
async function isReady(child: ChildProcess): Promise<boolean> {
	const { stdout } = child;
	if (!stdout) return false;
	const [event] = await Promise.race([
		once(stdout, 'data').then(() => ['ready']),
		once(child, 'close').then(() => ['closed']),
	]);
	return event === 'ready';
}
