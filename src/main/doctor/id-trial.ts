import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { messageOf } from '../../base/message-of.ts';
import type { IdFacts, Trial } from '../../plan/doctor/facts.ts';
import { programOnPath, textOf } from './system-texts.ts';

/** The subordinate ids of this user, and whether newuidmap gives them to a user namespace. */
export async function inspectIds(userName: string): Promise<IdFacts> {
	const [subuids, subgids] = ['/etc/subuid', '/etc/subgid'].map((path) => rangesIn(textOf(path), userName));
	return {
		subuids: lengthOf(subuids),
		subgids: lengthOf(subgids),
		newuidmap: await tryNewuidmap(subuids?.[0]),
	};
}

/** A range of ids, from a line `user:first:length` of subuid(5). */
interface IdRange {
	readonly first: number;
	readonly length: number;
}

function rangesIn(text: string, userName: string): readonly IdRange[] {
	const names = [userName, String(process.getuid?.())];
	return text.split('\n').flatMap((line) => {
		const [name = '', first = '', length = ''] = line.split(':');
		return names.includes(name) ? [{ first: Number(first), length: Number(length) }] : [];
	});
}

function lengthOf(ranges: readonly IdRange[] = []): number {
	return ranges.reduce((sum, { length }) => sum + length, 0);
}

async function tryNewuidmap(range: IdRange | undefined): Promise<Trial> {
	const newuidmap = programOnPath('newuidmap');
	const unshare = programOnPath('unshare');
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
