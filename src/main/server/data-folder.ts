import { realpathSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import {
	checkPrivateFile,
	openPrivateFolder,
	openPrivateRoot,
	readPrivateFile,
	writePrivateFile,
} from '../../base/files/private-files.ts';
import { isRecord } from '../../base/json/json.ts';
import { CRI_FILES } from '../../runtime/cri/cri-files.ts';
import { DOCKER_FILES } from '../../runtime/docker/docker-files.ts';
import { LAUNCHER_FILES } from '../../runtime/process/launcher/launcher-files.ts';

/**
 * The paths of a server's data folder, which holds everything that outlives the process. Only its owner can
 * read it.
 */
export interface DataFolder {
	readonly path: string;
	/** The store's database. */
	readonly database: string;
	/** The kubeconfig for clients: the server's address, its CA and a token. */
	readonly kubeconfig: string;
	/** The Unix socket of the API, for commands on this machine. */
	readonly socket: string;
	/** The CA, the server's certificate and the token. */
	readonly pki: string;
	/** The range of the addresses of Services that was chosen for Pods with networks of their own. */
	readonly serviceRange: string;
	/** The key that signs the tokens of ServiceAccounts; it exists once a token was issued. */
	readonly signingKey: string;
	/** The logs of containers. */
	readonly logs: string;
	/** The launcher's socket, its journal of running containers, and the sandboxes' folders. */
	readonly runtime: string;
	/** The store of images. */
	readonly imageStore: string;
	/** The file of mirrors of registries, which the user writes. */
	readonly registries: string;
	/** The volumes of Pods and the files that are mounted into their containers. */
	readonly pods: string;
	/** The folders of local volumes (PersistentVolumes). */
	readonly volumes: string;
	/** The image table, which the user edits: the programs that image names stand for. See docs/images.md. */
	readonly images: string;
}

/** The paths inside the folder at `path`. */
export function dataFolder(path: string): DataFolder {
	const root = resolve(path);
	return {
		path: root,
		database: join(root, 'state.db'),
		kubeconfig: join(root, 'kubeconfig'),
		socket: join(root, 'api.sock'),
		pki: join(root, 'pki'),
		serviceRange: join(root, 'service-range'),
		signingKey: join(root, 'pki', 'sa.key'),
		logs: join(root, 'logs'),
		runtime: join(root, 'runtime'),
		imageStore: join(root, 'images'),
		registries: join(root, 'registries.yaml'),
		pods: join(root, 'pods'),
		volumes: join(root, 'volumes'),
		images: join(root, 'images.yaml'),
	};
}

/** The default data folder by the XDG rules: `~/.local/share/stint`. */
export function defaultDataPath(env: NodeJS.ProcessEnv): string {
	const { XDG_DATA_HOME: xdg } = env;
	return join(xdg?.startsWith('/') ? xdg : join(homedir(), '.local', 'share'), 'stint');
}

/**
 * Creates the folder with access for its owner only, or checks and prepares an existing one. Throws an
 * UnusablePathError with the path and the reason.
 *
 * The copy of a data folder contains the runtimes' files of the original, which refer to containers of Pods
 * that may still run for the original. In a copy this function removes those files and calls `onCopy` with
 * the path of the original; the containers of those Pods are then lost in the copy. Otherwise a server on the
 * copy would take over, and kill, the processes of another cluster.
 */
export function openDataFolder(folder: DataFolder, onCopy: (original: string) => void): void {
	openPrivateRoot(folder.path, OWN_NAMES);
	const { pki, logs, runtime, pods, volumes } = folder;
	for (const path of [pki, logs, runtime, pods, volumes]) openPrivateFolder(path);
	for (const path of [folder.database, `${folder.database}-wal`, `${folder.database}-shm`, folder.kubeconfig])
		checkPrivateFile(path);
	const marker = join(folder.path, IDENTITY_NAME);
	const identity = identityOf(folder.path);
	const kept = parseIdentity(readPrivateFile(marker));
	if (kept && isSame(kept, identity)) return;
	if (kept) {
		for (const name of [...LAUNCHER_FILES, ...Object.values(DOCKER_FILES), ...Object.values(CRI_FILES)])
			rmSync(join(folder.runtime, name), { force: true, recursive: true });
		onCopy(kept.path);
	}
	writePrivateFile(marker, `${JSON.stringify(identity)}\n`);
}

/** What a user should know about a data folder that is a copy. */
export function isCopyOf({ path }: DataFolder, original: string): string {
	return `the data folder ${path} is a copy of ${original}: containers that run there are not touched, and their Pods have lost them here`;
}

/** Identifies a folder, to distinguish it from its copies. */
interface FolderIdentity {
	/** Path with symbolic links resolved. */
	readonly path: string;
	readonly device: number;
	readonly inode: number;
}

const IDENTITY_NAME = 'folder.json';

/** The files that stint creates in a data folder, and `images.yaml`. */
const OWN_NAMES: ReadonlySet<string> = new Set([
	...['state.db', 'state.db-wal', 'state.db-shm', 'state.db-mark', 'kubeconfig', 'kubeconfig.new'],
	...['api.sock', 'pki', 'logs', 'runtime', 'pods', 'volumes', 'images.yaml'],
	...['images', 'registries.yaml'],
	...[IDENTITY_NAME, `${IDENTITY_NAME}.new`],
]);

function identityOf(path: string): FolderIdentity {
	const { dev, ino } = statSync(path);
	return { path: realpathSync(path), device: dev, inode: ino };
}

/**
 * A renamed folder keeps its inode; a copy has another one. The device number may change when the machine
 * boots, so a different one counts only if the path differs too.
 */
function isSame(kept: FolderIdentity, now: FolderIdentity): boolean {
	return kept.inode === now.inode && (kept.device === now.device || kept.path === now.path);
}

/** The stored identity; undefined if the file does not exist yet or is damaged. */
function parseIdentity(text: string | undefined): FolderIdentity | undefined {
	try {
		const value: unknown = JSON.parse(text ?? 'null');
		if (!isRecord(value) || !('path' in value && 'device' in value && 'inode' in value)) return undefined;
		return { path: String(value.path), device: Number(value.device), inode: Number(value.inode) };
	} catch {
		return undefined;
	}
}
