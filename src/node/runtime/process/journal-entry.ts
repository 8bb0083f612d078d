import { isRecord, type JsonRecord } from '../../../base/json.ts';
import type { ContainerStatus, Sandbox } from '../runtime.ts';
import { isIdentity, type ProcessIdentity } from './process-table.ts';

/** One change of what a launcher has, as its journal records it. */
export type JournalEntry =
	/** Where the processes of the entries that follow were started: see {@link Origin}. */
	| Origin
	/** With the name of its working folder. */
	| { readonly sandbox: Sandbox; readonly folder: string }
	/** The container is about to start, runs or has ended. */
	| { readonly container: ContainerStatus }
	/** Its main process. */
	| { readonly process: ProcessIdentity; readonly of: string }
	| { readonly sandboxGone: string }
	| { readonly containerGone: string };

/** Where processes were started. Of those that were started elsewhere, nothing is known here. */
export interface Origin {
	/** The space in which their ids have a meaning: see processSpace. */
	readonly boot: string;
	/** The identity of the launcher's folder: that of a copy is another. */
	readonly folder?: string;
	/** What tells the marks of its containers' processes from those of any other launcher: see markOf. */
	readonly key?: string;
}

/** The entry that a line of a journal holds; undefined if it holds none, or one that cannot be true. */
export function decodeEntry(line: string): JournalEntry | undefined {
	const value = parse(line);
	if (!isRecord(value)) return undefined;
	const { boot, key, sandbox, folder, container, process, of, sandboxGone, containerGone } = value;
	if (isText(boot)) return { boot, ...(isText(folder) && { folder }), ...(isText(key) && { key }) };
	// The name becomes a path whose content is removed.
	if (isSandbox(sandbox) && isText(folder) && /^\d{1,15}$/.test(folder)) return { sandbox, folder };
	if (isContainer(container)) return { container };
	if (isIdentity(process) && isText(of)) return { process, of };
	if (isText(sandboxGone)) return { sandboxGone };
	return isText(containerGone) ? { containerGone } : undefined;
}

function parse(line: string): unknown {
	try {
		return JSON.parse(line);
	} catch {
		return undefined;
	}
}

function isText(value: unknown): value is string {
	return typeof value === 'string';
}

function areTexts(...values: readonly unknown[]): boolean {
	return values.every(isText);
}

function areNumbers(...values: readonly unknown[]): boolean {
	return values.every((value) => typeof value === 'number');
}

function isSandbox(value: unknown): value is Sandbox {
	if (!isRecord(value) || !isRecord(value.config)) return false;
	const { id, ip, createdAt, state, config } = value;
	const { podUid, podName, podNamespace, hostname, attempt } = config;
	if (state !== 'ready' && state !== 'stopped') return false;
	return areTexts(id, ip, podUid, podName, podNamespace, hostname) && areNumbers(createdAt, attempt);
}

function isContainer(value: unknown): value is ContainerStatus {
	if (!isRecord(value)) return false;
	const { id, sandboxId, podUid, name, image, imageRef, logPath, attempt, createdAt } = value;
	if (!areTexts(id, sandboxId, podUid, name, image, imageRef, logPath)) return false;
	return areNumbers(attempt, createdAt) && isState(value);
}

function isState({ state, startedAt, finishedAt, exitCode, reason }: JsonRecord): boolean {
	if (state === 'created') return true;
	if (state === 'running') return areNumbers(startedAt);
	return state === 'exited' && areNumbers(finishedAt, exitCode, startedAt ?? 0) && isText(reason);
}
