import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { codeOf, isMissing } from '../../base/files/system-error.ts';
import type { HostProgram } from './launcher/protocol.ts';
import { StartFailure } from './shim/shim-failure.ts';
import type { ContainerBox } from './shim/shim-request.ts';

/**
 * Describes why a program could not be started, in the words of runc, which users know. The kernel returns ENOENT for
 * a missing program, a missing working directory and a missing interpreter alike: the file system shows which it was. In a
 * container with a root of its own, which is gone by now, it is taken to be the program.
 */
export async function describeStartError(
	error: unknown,
	program: HostProgram,
	box?: Pick<ContainerBox, 'root'>,
): Promise<string> {
	const [file = ''] = program.argv;
	if (error instanceof StartFailure && !BY_PROGRAM.has(error.step)) return boxProblem(error);
	// The error comes from the log, the pipes or the arguments, not from the program.
	if (!(error instanceof StartFailure) && !isFromSpawn(error)) return messageOf(error);
	if (error instanceof StartFailure && error.step === 'chdir')
		return `chdir to workingDir (${JSON.stringify(error.path)}) failed: ${wordsFor(error.code) ?? error.message}`;
	// The shim has entered the folder before, in the container's own view.
	const folder = error instanceof StartFailure ? undefined : await folderProblem(program.workingDir);
	if (folder) return `chdir to workingDir (${JSON.stringify(program.workingDir)}) failed: ${folder}`;
	const path = box?.root ? undefined : (program.env.PATH ?? '');
	return `exec: ${JSON.stringify(file)}: ${await programProblem(error, file, path)}`;
}

/** The steps of the shim that fail because of the program or its working directory. */
const BY_PROGRAM: ReadonlySet<string> = new Set(['exec', 'chdir']);

/** Why the shim could not isolate the container. */
function boxProblem({ step, path, code, message }: StartFailure): string {
	const reason = wordsFor(code) ?? message;
	return path === ''
		? `container set-up: ${step}: ${reason}`
		: `container set-up: ${step} ${JSON.stringify(path)}: ${reason}`;
}

/** Describes which resource the machine is short of, in the same words. */
export function describeShortage(error: unknown): string {
	return `the machine cannot start it now: ${wordsFor(codeOf(error)) ?? messageOf(error)}`;
}

async function folderProblem(folder: string): Promise<string | undefined> {
	if (folder === '') return undefined;
	try {
		if (!(await stat(folder)).isDirectory()) return 'not a directory';
		await access(folder, constants.X_OK);
		return undefined;
	} catch (error) {
		return wordsFor(codeOf(error));
	}
}

/**
 * ENOENT for an existing program means that its interpreter (`#!`) or its dynamic loader is missing. `path`: the PATH by
 * which this machine is searched; undefined if its files are not those of the container.
 */
async function programProblem(error: unknown, file: string, path: string | undefined): Promise<string> {
	if (!isMissing(error)) return wordsFor(codeOf(error)) ?? messageOf(error);
	const isName = !file.includes('/');
	if (path !== undefined && (await (isName ? isOnPath(file, path) : exists(file))))
		return 'no such file or directory';
	return isName ? 'executable file not found in $PATH' : `stat ${file}: no such file or directory`;
}

async function isOnPath(name: string, path: string): Promise<boolean> {
	for (const folder of path.split(':').filter(isAbsolute)) if (await exists(join(folder, name))) return true;
	return false;
}

/** Resolves to true if `path` exists. */
export async function exists(path: string): Promise<boolean> {
	try {
		await access(path);
		return true;
	} catch {
		return false;
	}
}

function isFromSpawn(error: unknown): boolean {
	return error instanceof Error && 'syscall' in error && String(error.syscall).startsWith('spawn');
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** The message of a system error as Go prints it, so that it reads as it does in other container runtimes. */
function wordsFor(code: string): string | undefined {
	const words: Readonly<Record<string, string>> = {
		EACCES: 'permission denied',
		EAGAIN: 'resource temporarily unavailable',
		EDQUOT: 'disk quota exceeded',
		E2BIG: 'argument list too long',
		EISDIR: 'is a directory',
		EMFILE: 'too many open files',
		ENFILE: 'too many open files in system',
		ENOENT: 'no such file or directory',
		ENOEXEC: 'exec format error',
		ENOMEM: 'cannot allocate memory',
		ENOSPC: 'no space left on device',
		ENOTDIR: 'not a directory',
		EPERM: 'operation not permitted',
	};
	return words[code];
}
