import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { attempt } from '../../base/attempt.ts';
import { findProgram } from '../../base/files/programs.ts';
import { isRecord } from '../../base/json/json.ts';
import type { KubectlFacts, Trial, ZoneFacts } from '../../plan/doctor/facts.ts';
import { isPresent, refusalOf } from './system-texts.ts';

/** The longest that a program may take to say its version. */
const LONGEST_ANSWER_MS = 5000;

/** Starts a process. */
export async function trySpawn(): Promise<Trial> {
	try {
		await promisify(execFile)('/bin/sh', ['-c', ':'], { timeout: LONGEST_ANSWER_MS });
		return { kind: 'allowed' };
	} catch (error) {
		return refusalOf(error, 'spawn', '/bin/sh');
	}
}

/** Listens on a port of 127.0.0.1 and stops at once. */
export async function tryPort(port: number): Promise<Trial> {
	const server = createServer();
	try {
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen({ host: '127.0.0.1', port }, resolve);
		});
		return { kind: 'allowed' };
	} catch (error) {
		return refusalOf(error, 'listen');
	} finally {
		server.close();
	}
}

/** The kubectl on PATH, and the version that it prints. */
export async function findKubectl(): Promise<KubectlFacts | undefined> {
	const path = findProgram('kubectl');
	if (path === undefined) return undefined;
	try {
		const args = ['version', '--client', '-o', 'json'];
		const { stdout } = await promisify(execFile)(path, args, { timeout: LONGEST_ANSWER_MS });
		const answer: unknown = JSON.parse(stdout);
		const client = isRecord(answer) && isRecord(answer.clientVersion) ? answer.clientVersion : {};
		return { path, version: typeof client.gitVersion === 'string' ? client.gitVersion : undefined };
	} catch {
		return { path, version: undefined };
	}
}

/** The time zones that Node and the programs of this machine know. */
export function inspectZones(): ZoneFacts {
	return {
		known: attempt(() => Intl.supportedValuesOf('timeZone').length) ?? 0,
		own: attempt(() => Intl.DateTimeFormat().resolvedOptions().timeZone) ?? 'UTC',
		hasFiles: isPresent('/usr/share/zoneinfo'),
	};
}
