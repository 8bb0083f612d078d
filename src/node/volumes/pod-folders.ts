/**
 * The folders of the Pods of a node, each with the files that the node makes for it:
 *
 *     <disk>/<uid>/volumes/<volume>              emptyDir
 *     <memory>/<uid>/volumes/<volume>            Secrets, tokens and other files of the API; emptyDir of medium Memory
 *     <memory>/<uid>/etc-hosts
 *     <memory>/<uid>/etc-resolv-conf             where the Pod has one of its own
 *     <memory>/<uid>/<container>.<n>             the termination message of a container attempt
 *
 * So a Pod without an emptyDir never waits for the disk, where a new folder may wait for the commits of the database.
 *
 * 1. Both roots are private (mode 0700): containers reach a volume only because the runtime mounts it.
 * 2. No name with a `/` or of dots gets into a path, and a removal follows no link and enters no mounted file system.
 * 3. Folders outlive the node agent, as containers do. {@link PodFolders.sweep} removes those of Pods that are gone.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { assert } from '../../base/assert.ts';
import { removeTree } from '../../base/files/remove-tree.ts';
import { undefinedIfMissing } from '../../base/files/system-error.ts';
import type { ContainerFiles } from '../../runtime/files/container-files.ts';
import type { MemoryRoot } from './memory-root.ts';

/** Where files are stored. */
export type Medium = 'disk' | 'memory';

/** The roots of {@link PodFolders}: private folders. */
export interface PodRoots {
	/** An existing folder. */
	readonly disk: string;
	/** Without memory, all files are on the disk. */
	readonly memory: Pick<MemoryRoot, 'open' | 'existing' | 'removeLeftovers'>;
	/** What removes files of containers; asked for at each removal. */
	files(): Pick<ContainerFiles, 'remove'>;
	/** The list of mounts. Default `/proc/self/mountinfo`. */
	readonly mountInfo?: string;
}

/** The end of the name of a volume that is being made. No volume has such a name. */
export const UNFINISHED = '~';

/** No other file of a Pod has a name with a dot. */
function messageName(container: string, attempt: number): string {
	return `${checked(container)}.${attempt}`;
}

/** See the header of this file. */
export class PodFolders {
	readonly #roots: PodRoots;
	/** The UIDs that may have a folder; undefined until the roots were read. */
	#uids: Set<string> | undefined;

	constructor(roots: PodRoots) {
		this.#roots = roots;
	}

	/** The path of a volume. The folder itself may not exist yet; those above it do once this resolves. */
	async volume(uid: string, name: string, medium: Medium): Promise<string> {
		const volumes = join(await this.#make(uid, medium), 'volumes');
		makeFolder(volumes);
		return join(volumes, checked(name));
	}

	/** Writes the Pod's `/etc/hosts`, in place: running containers have mounted the file. Resolves to its path. */
	async writeHosts(uid: string, text: string): Promise<string> {
		const path = join(await this.#make(uid, 'memory'), 'etc-hosts');
		// In place, since it is mounted as a file, and only if it changes: running containers read it.
		if (existsSync(path) && readFileSync(path, 'utf8') === text) return path;
		writeFileSync(path, text);
		// Containers may run as any user. Not by the mode of the creation, from which the umask is subtracted.
		chmodSync(path, 0o644);
		return path;
	}

	/** Makes the Pod's `/etc/resolv.conf` unless it exists: containers may have changed it. Resolves to its path. */
	async makeResolvConf(uid: string, text: string): Promise<string> {
		const path = join(await this.#make(uid, 'memory'), 'etc-resolv-conf');
		if (existsSync(path)) return path;
		writeFileSync(path, text);
		// As of the file above.
		chmodSync(path, 0o644);
		return path;
	}

	/** Makes the empty file for the termination message of a container attempt, unless it exists. Resolves to its path. */
	async makeMessageFile(uid: string, container: string, attempt: number): Promise<string> {
		const path = join(await this.#make(uid, 'memory'), messageName(container, attempt));
		writeFileSync(path, '', { flag: 'a' });
		// The program may run as any user. Not by the mode of the creation, from which the umask is subtracted.
		chmodSync(path, 0o666);
		return path;
	}

	/** The path of a file that {@link makeMessageFile} has made. */
	messageFile(uid: string, container: string, attempt: number): string {
		const root = this.#roots.memory.existing() ?? this.#roots.disk;
		return join(root, checked(uid), messageName(container, attempt));
	}

	/** Removes a file that {@link makeMessageFile} has made, if it exists. */
	async removeMessageFile(uid: string, container: string, attempt: number): Promise<void> {
		await removeTree(this.messageFile(uid, container, attempt));
	}

	/** The paths of the Pod's emptyDir and file volumes, by name. */
	async volumesOf(uid: string): Promise<ReadonlyMap<string, string>> {
		const found = this.#existing(uid).map(async (folder) => {
			const volumes = join(folder, 'volumes');
			const names = (await namesIn(volumes)).filter((name) => !name.endsWith(UNFINISHED));
			return names.map((name) => [name, join(volumes, name)] as const);
		});
		return new Map((await Promise.all(found)).flat());
	}

	/**
	 * Removes the folders of the Pod, if it has any. Its containers must have been removed. Rejects, and removes nothing,
	 * if a file system is mounted in them: a privileged container can leave one.
	 */
	async remove(uid: string): Promise<void> {
		const known = await this.#known();
		if (!known.has(uid)) return;
		const { mountInfo = '/proc/self/mountinfo' } = this.#roots;
		const mounts = mountsIn(mountInfo);
		for (const folder of this.#existing(uid)) {
			const mounted = mountPointBelow(folder, mounts);
			if (mounted !== undefined)
				throw new Error(`${folder} is not removed, since a file system is mounted at ${mounted}`);
			await this.#roots.files().remove(folder);
		}
		known.delete(uid);
	}

	/** Removes the folders of all Pods for which `isKept` returns false, and what killed servers have left in memory. */
	async sweep(isKept: (uid: string) => boolean): Promise<void> {
		for (const uid of await this.#known()) if (!isKept(uid)) await this.remove(uid);
		await this.#roots.memory.removeLeftovers();
	}

	#existing(uid: string): readonly string[] {
		return this.#existingRoots().map((root) => join(root, checked(uid)));
	}

	#existingRoots(): readonly string[] {
		const memory = this.#roots.memory.existing();
		return [this.#roots.disk, ...(memory === undefined ? [] : [memory])];
	}

	/** The UIDs that have a folder. Read once: a lookup for each Pod without volumes would cost more than its start. */
	async #known(): Promise<Set<string>> {
		if (this.#uids) return this.#uids;
		const names = await Promise.all(this.#existingRoots().map(namesIn));
		this.#uids ??= new Set(names.flat());
		return this.#uids;
	}

	/** Makes the folder of the Pod, unless it exists. Resolves to its path. */
	async #make(uid: string, medium: Medium): Promise<string> {
		const { disk, memory } = this.#roots;
		const root = medium === 'memory' ? (memory.open() ?? disk) : disk;
		const path = join(root, checked(uid));
		(await this.#known()).add(uid);
		makeFolder(path);
		return path;
	}
}

/** Names are validated by the API server; this is for a node whose API server is another program. */
function checked(name: string): string {
	assert(
		/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name),
		`the name ${JSON.stringify(name)} cannot be part of a path`,
	);
	return name;
}

async function namesIn(folder: string): Promise<readonly string[]> {
	return (await readdir(folder).catch(undefinedIfMissing)) ?? [];
}

function makeFolder(path: string): void {
	if (!existsSync(path)) mkdirSync(path, { mode: 0o755 });
}

/**
 * The list of mounts as text; empty on a system without /proc. Read synchronously: through the thread pool, it costs five times as
 * much, for each Pod that ends.
 */
function mountsIn(mountInfo: string): string {
	try {
		return readFileSync(mountInfo, 'utf8');
	} catch (error) {
		return undefinedIfMissing(error) ?? '';
	}
}

/** The first mount point that is `folder` or below it. */
function mountPointBelow(folder: string, mounts: string): string | undefined {
	// The last part of the path has no character that is escaped: the list of each machine is searched, and rarely parsed.
	if (!mounts.includes(`/${basename(folder)}`)) return undefined;
	const points = mounts.split('\n').map((line) => {
		const [, , , , escaped = ''] = line.split(' ');
		return escaped.replace(/\\(\d{3})/g, (_, octal: string) =>
			String.fromCharCode(Number.parseInt(octal, 8)),
		);
	});
	return points.find((point) => point === folder || point.startsWith(`${folder}/`));
}
