import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import { removeTree } from '../../../base/files/remove-tree.ts';
import { newKey } from '../launcher/process-table.ts';
import { Shim } from './shim.ts';
import { StartFailure } from './shim-failure.ts';
import { filterFile } from './shim-file.ts';
import type { ContainerBox } from './shim-request.ts';

/** What a box can need of the machine, each tried alone. */
export type BoxFeature = 'box' | 'userNamespaces' | 'mounts' | 'processes' | 'seccomp' | 'overlay';

/** How each feature was refused; undefined: it works. */
export type TrialFailures = Readonly<Record<BoxFeature, StartFailure | undefined>>;

/** The settings of {@link tryBoxes}. */
export interface TrialOptions {
	/** The shim's executable file. */
	readonly file: string;
	readonly clock: Clock;
	/** Whether boxes are made in user namespaces, as for an ordinary user. */
	readonly inUserNamespace: boolean;
	/** An existing folder in the file system that overlays would use. */
	readonly storage: string;
	readonly user: { readonly uid: number; readonly gid: number };
}

/**
 * Tries what a box needs by starting short programs in boxes, as the launcher starts containers: the kernel's answers
 * count, and no setting is read. Leaves no process and no file. Rejects if the shim itself cannot run.
 */
export async function tryBoxes(options: TrialOptions): Promise<TrialFailures> {
	const folder = mkdtempSync(join(tmpdir(), 'stint-trial-'));
	const storage = mkdtempSync(join(options.storage, '.stint-trial-'));
	const failures: unknown[] = [];
	const { file, clock } = options;
	const shim = new Shim({ file, folder, clock, onError: (error) => failures.push(error) });
	try {
		const boxes = boxesOf(options, storage);
		const results: [string, StartFailure | undefined][] = [];
		for (const [feature, box] of Object.entries(boxes)) results.push([feature, await tryBox(shim, box)]);
		if (failures.length > 0) throw failures[0];
		return { ...UNKNOWN, ...Object.fromEntries(results) };
	} finally {
		shim.close(true);
		await removeTree(folder);
		await removeTree(storage);
	}
}

const UNKNOWN: TrialFailures = {
	box: undefined,
	userNamespaces: undefined,
	mounts: undefined,
	processes: undefined,
	seccomp: undefined,
	overlay: undefined,
};

/** Starts a program that ends at once; resolves to why it could not be started. */
async function tryBox(shim: Shim, box: ContainerBox): Promise<StartFailure | undefined> {
	try {
		const argv = ['/bin/sh', '-c', ':'];
		const running = await shim.start({ id: `${newKey()}-trial`, argv, env: {}, cwd: '/', box });
		await running.exit;
		running.forget();
		return undefined;
	} catch (error) {
		if (error instanceof StartFailure) return error;
		throw error;
	}
}

function boxesOf(options: TrialOptions, storage: string): Readonly<Record<BoxFeature, ContainerBox>> {
	const { uid, gid } = options.user;
	const idMaps = { uid: `${uid} ${uid} 1`, gid: `${gid} ${gid} 1` };
	const plain = { namespaces: '', fileSystems: [], mounts: [] };
	const base = { ...plain, ...(options.inUserNamespace && { idMaps }) };
	const processes = { type: 'proc', target: '/proc', options: '' };
	return {
		box: { ...base, namespaces: 'mpih', hostname: 'trial' },
		userNamespaces: { ...plain, idMaps },
		mounts: { ...base, namespaces: 'm' },
		processes: { ...base, namespaces: 'mp', fileSystems: [processes] },
		seccomp: { ...base, namespaces: 'm', noNewPrivileges: true, seccomp: filterFile() },
		overlay: { ...base, namespaces: 'm', fileSystems: [overlayIn(storage, options.inUserNamespace)] },
	};
}

function overlayIn(storage: string, inUserNamespace: boolean): ContainerBox['fileSystems'][number] {
	const [lower, upper, work, merged] = ['lower', 'upper', 'work', 'merged'].map((name) => {
		const path = join(storage, name);
		mkdirSync(path);
		return path;
	});
	// Root's attributes of overlays cannot be written in a user namespace.
	const attributes = inUserNamespace ? ',userxattr' : '';
	const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}${attributes}`;
	return { type: 'overlay', target: merged ?? storage, options };
}
