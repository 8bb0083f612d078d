import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { messageOf } from '../../../base/message-of.ts';
import type { BoxLevel } from './box.ts';
import { StartFailure } from './shim-failure.ts';

/** What the shim found out about this machine. */
export interface MachineProbe {
	readonly level: BoxLevel;
	readonly hasPids: boolean;
	/** Why a container cannot have a root file system of its own, as one with an image needs; absent without a box and processes. */
	readonly roots?: StartFailure | 'allowed';
	/** Whether the root of a container can be an overlay; absent if that was not tried. */
	readonly canOverlay?: boolean;
	/** Why a container cannot have a root by chroot; absent if that was not tried, as where it can have a box. */
	readonly chroot?: StartFailure | 'allowed';
	/** Why there is no box, or no process namespace, or no root; empty if nothing is missing. */
	readonly reason: string;
	/** The further ids that containers of an ordinary user have; absent: none. */
	readonly ids?: SubordinateIds;
}

/** The ids that the system grants to a user beside its own. */
export interface SubordinateIds {
	readonly uids: IdRange;
	readonly gids: IdRange;
}

/** Numbers of users or groups that follow each other. */
export interface IdRange {
	readonly first: number;
	readonly count: number;
}

/** The longest that the shim may take: it starts a process for each line that it prints. */
const LONGEST_PROBE_MS = 5000;

/**
 * Runs the shim's probe, with the folders of a trial container if `trial` names them. Never rejects: a shim that cannot run
 * allows no box.
 */
export async function probeMachine(file: string | undefined, trial?: string): Promise<MachineProbe> {
	if (file === undefined) return withoutBox('stint has no shim for this system');
	try {
		const { stdout } = await promisify(execFile)(file, trial === undefined ? ['probe'] : ['probe', trial], {
			timeout: LONGEST_PROBE_MS,
			env: {},
		});
		return parseProbe(stdout);
	} catch (error) {
		return withoutBox(messageOf(error));
	}
}

/** A machine on which containers have nothing of their own. */
export function withoutBox(reason: string): MachineProbe {
	return { level: 'none', hasPids: false, reason };
}

/** Decodes the output of `stint-shim probe`. */
export function parseProbe(output: string): MachineProbe {
	const [, level = 'none', why = ''] = /^box (root|user|none)(?: (.*))?$/m.exec(output) ?? [];
	const [, pids = 'no', whyPids = ''] = /^pid (yes|no)(?: (.*))?$/m.exec(output) ?? [];
	const [, roots, whyRoots = ''] = /^root (yes|no)(?: (.*))?$/m.exec(output) ?? [];
	const [, overlay] = /^overlay (yes|no)/m.exec(output) ?? [];
	const [, chroot, whyChroot = ''] = /^chroot (yes|no)(?: (.*))?$/m.exec(output) ?? [];
	const isLevel = level === 'root' || level === 'user';
	return {
		level: isLevel ? level : 'none',
		hasPids: pids === 'yes',
		reason: refusalOf(isLevel ? whyPids || whyRoots : why)?.message ?? '',
		...(roots && { roots: refusalOf(whyRoots) ?? 'allowed' }),
		...(overlay && { canOverlay: overlay === 'yes' }),
		...(chroot && { chroot: refusalOf(whyChroot) ?? 'allowed' }),
	};
}

/** The failure that is written as `errno step`; undefined if there is none. */
function refusalOf(text: string): StartFailure | undefined {
	const [errno = '', step = ''] = text.split(' ');
	return errno === '' ? undefined : new StartFailure({ errno: Number(errno), step, detail: '' });
}
