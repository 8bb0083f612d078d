import { realpathSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import {
	checkPrivateFile,
	openPrivateFolder,
	openPrivateRoot,
	readPrivateFile,
	writePrivateFile,
} from '../base/private-files.ts';

/** Where a server keeps what must outlive it. Everything in it is for its owner's eyes only. */
export interface DataFolder {
	readonly path: string;
	/** The store's database. */
	readonly database: string;
	/** How clients reach the server: its address, its CA and a token. */
	readonly kubeconfig: string;
	/** The CA, the server's certificate and the token. */
	readonly pki: string;
	/** The logs of containers. */
	readonly logs: string;
	/** The launcher's socket and what it knows of running containers; the sandboxes' own folders. */
	readonly runtime: string;
	/** What image names stand for on this machine, as the user extends it. */
	readonly images: string;
}

/** The paths inside the folder at `path`. */
export function dataFolder(path: string): DataFolder {
	const root = resolve(path);
	return {
		path: root,
		database: join(root, 'state.db'),
		kubeconfig: join(root, 'kubeconfig'),
		pki: join(root, 'pki'),
		logs: join(root, 'logs'),
		runtime: join(root, 'runtime'),
		images: join(root, 'images.yaml'),
	};
}

/** The folder used when none is named: by the XDG rules, `~/.local/share/stint`. */
export function defaultDataPath(env: NodeJS.ProcessEnv): string {
	const { XDG_DATA_HOME: xdg } = env;
	return join(xdg?.startsWith('/') ? xdg : join(homedir(), '.local', 'share'), 'stint');
}

/**
 * Makes the folder, for its owner only, or prepares the one that exists. Throws an UnusablePathError that says
 * what is wrong with which path.
 *
 * A folder that is the copy of another one must not be taken for it: the launcher's files in it name the
 * processes of the Pods of the original, which may still run. They are removed, and `onCopy` is told where
 * the original was. Here those Pods have lost their containers.
 */
export function openDataFolder(folder: DataFolder, onCopy: (original: string) => void): void {
	openPrivateRoot(folder.path, OWN_NAMES);
	for (const path of [folder.pki, folder.logs, folder.runtime]) openPrivateFolder(path);
	for (const path of [folder.database, `${folder.database}-wal`, `${folder.database}-shm`, folder.kubeconfig])
		checkPrivateFile(path);
	const marker = join(folder.path, IDENTITY_NAME);
	const identity = identityOf(folder.path);
	const kept = parseIdentity(readPrivateFile(marker));
	if (kept && isSame(kept, identity)) return;
	if (kept) {
		for (const name of LAUNCHER_FILES) rmSync(join(folder.runtime, name), { force: true, recursive: true });
		onCopy(kept.path);
	}
	writePrivateFile(marker, `${JSON.stringify(identity)}\n`);
}

/** What tells a folder from its copies. */
interface FolderIdentity {
	/** Without links. */
	readonly path: string;
	readonly device: number;
	readonly inode: number;
}

const IDENTITY_NAME = 'folder.json';

/** The names that are ours in a data folder. */
const OWN_NAMES: ReadonlySet<string> = new Set([
	...['state.db', 'state.db-wal', 'state.db-shm', 'state.db-mark', 'kubeconfig', 'kubeconfig.new'],
	...['pki', 'logs', 'runtime', 'images.yaml', IDENTITY_NAME, `${IDENTITY_NAME}.new`],
]);

/** What the launcher keeps about the processes that it started. */
const LAUNCHER_FILES = ['launcher.lock', 'launcher.sock', 'journal', 'journal.next', 'pipes'];

function identityOf(path: string): FolderIdentity {
	const { dev, ino } = statSync(path);
	return { path: realpathSync(path), device: dev, inode: ino };
}

/**
 * A folder keeps its inode when it is renamed; a copy has another one. A device may get another number when
 * the machine is started, so that alone means nothing if the path is the same.
 */
function isSame(kept: FolderIdentity, now: FolderIdentity): boolean {
	return kept.inode === now.inode && (kept.device === now.device || kept.path === now.path);
}

/** Undefined for a folder that has no identity yet, or a damaged one. */
function parseIdentity(text: string | undefined): FolderIdentity | undefined {
	try {
		const value: unknown = JSON.parse(text ?? 'null');
		if (typeof value !== 'object' || value === null) return undefined;
		if (!('path' in value && 'device' in value && 'inode' in value)) return undefined;
		return { path: String(value.path), device: Number(value.device), inode: Number(value.inode) };
	} catch {
		return undefined;
	}
}
