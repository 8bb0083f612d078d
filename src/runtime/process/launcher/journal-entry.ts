import { isRecord, type JsonRecord } from '../../../base/json/json.ts';
import type { RuntimeContainer } from '../../contract.ts';
import type { ContainerCgroups } from '../cgroups/cgroups.ts';
import { isIdentity, type ProcessIdentity } from './process-table.ts';
import type { HostContainerConfig, HostSandbox } from './protocol.ts';

/** One change of a launcher's state, as its journal records it. */
export type JournalEntry =
	/** Where the processes of the following entries were started: see {@link Origin}. */
	| Origin
	/** A sandbox was created or stopped; `folder` is the name of its working folder. */
	| { readonly sandbox: HostSandbox; readonly folder: string }
	/** The container is being started (`created`), runs, or has exited. */
	| { readonly container: RuntimeContainer }
	/** The main process of the container `of`. */
	| { readonly process: ProcessIdentity; readonly of: string }
	/** How the container `of` is run: what another launcher needs to continue with it. */
	| { readonly run: RunRecord; readonly of: string }
	/** The sandbox was removed. */
	| { readonly sandboxGone: string }
	/** The container was removed, or its start failed before it ran. */
	| { readonly containerGone: string };

/**
 * Where processes were started. A process id means nothing outside of its origin: the launcher kills no process
 * that was started elsewhere.
 */
export interface Origin {
	/** The boot and the pid namespace in which the process ids are valid: see processSpace. */
	readonly boot: string;
	/** The identity of the launcher's folder; a copy of the folder has another one. */
	readonly folder?: string;
	/** The part of the marks that distinguishes this launcher's processes from any other launcher's: see markOf. */
	readonly key?: string;
}

/** How a container is run by the shim: by which names another launcher finds it. Paths are relative to its folder. */
export interface RunPipes {
	/** The id of the request to the shim, by which its events are found. */
	readonly request: string;
	/** The pipes of its standard output and error; with a terminal, only the first. */
	readonly pipes: readonly string[];
	/** The pipes of its standard input, and for control of its waiter; absent without `stdin` and terminal. */
	readonly input?: { readonly stdin?: string; readonly control: string };
	/** Its control groups, if it has any: those of a later launcher may be elsewhere. */
	readonly cgroups?: ContainerCgroups;
}

/** A container that the shim runs. */
export interface RunRecord extends RunPipes {
	readonly config: HostContainerConfig;
}

/** Decodes a line of a journal; undefined if the line is damaged or its values are invalid. */
export function decodeEntry(line: string): JournalEntry | undefined {
	const value = parse(line);
	if (!isRecord(value)) return undefined;
	const { boot, key, sandbox, folder, container, process, run, of, sandboxGone, containerGone } = value;
	if (isText(boot)) return { boot, ...(isText(folder) && { folder }), ...(isText(key) && { key }) };
	// Only digits: the name becomes part of a path whose content is removed later.
	if (isSandbox(sandbox) && isText(folder) && /^\d{1,15}$/.test(folder)) return { sandbox, folder };
	if (isContainer(container)) return { container };
	if (isIdentity(process) && isText(of)) return { process, of };
	if (isRun(run) && isText(of)) return { run, of };
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

function isTexts(value: unknown): boolean {
	return Array.isArray(value) && value.every(isText);
}

function areTexts(...values: readonly unknown[]): boolean {
	return values.every(isText);
}

function areNumbers(...values: readonly unknown[]): boolean {
	return values.every((value) => typeof value === 'number');
}

function isSandbox(value: unknown): value is HostSandbox {
	if (!isRecord(value) || !isRecord(value.config)) return false;
	const { id, ip, createdAt, state, config } = value;
	const { podUid, podName, podNamespace, hostname, attempt, namespaces, sysctls } = config;
	if (!isRecord(namespaces) || !isRecord(sysctls)) return false;
	if (state !== 'ready' && state !== 'stopped') return false;
	if (value.network !== undefined && !isNetwork(value.network)) return false;
	return areTexts(id, ip, podUid, podName, podNamespace, hostname) && areNumbers(createdAt, attempt);
}

function isNetwork(value: unknown): boolean {
	return isRecord(value) && areTexts(value.ip, value.bridge, value.range);
}

function isContainer(value: unknown): value is RuntimeContainer {
	if (!isRecord(value)) return false;
	const { id, sandboxId, podUid, name, image, imageRef, logPath, attempt, createdAt } = value;
	if (!areTexts(id, sandboxId, podUid, name, image, imageRef, logPath)) return false;
	return areNumbers(attempt, createdAt) && isState(value);
}

/** The shapes of what is used of it: the launcher that wrote the line knew the same protocol. */
function isRun(value: unknown): value is RunRecord {
	if (!isRecord(value) || !isRecord(value.config) || !Array.isArray(value.pipes)) return false;
	const { logPath, logMaxBytes, logMaxFiles, program } = value.config;
	if (!areTexts(logPath, value.request) || !areNumbers(logMaxBytes, logMaxFiles) || !isRecord(program))
		return false;
	const { cgroups } = value;
	if (cgroups !== undefined && !(isRecord(cgroups) && isTexts(cgroups.folders))) return false;
	// The names become paths that are opened and removed.
	const inputs = isRecord(value.input) ? Object.values(value.input) : [];
	return [...value.pipes, ...inputs].every((path) => isText(path) && /^pipes\/\d{1,15}$/.test(path));
}

function isState({ state, startedAt, finishedAt, exitCode, reason }: JsonRecord): boolean {
	if (state === 'created') return true;
	if (state === 'running') return areNumbers(startedAt);
	return state === 'exited' && areNumbers(finishedAt, exitCode, startedAt ?? 0) && isText(reason);
}
