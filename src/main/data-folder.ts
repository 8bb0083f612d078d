import { chmodSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { makeFolders, systemReason } from '../base/folders.ts';

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

/** The data folder cannot be used; the message says which path and why. */
export class DataFolderError extends Error {
	override readonly name = 'DataFolderError';
}

/** Makes the folder, for its owner only. Throws a {@link DataFolderError} if that is not possible. */
export function makeDataFolder(folder: DataFolder): void {
	try {
		for (const path of [folder.path, folder.logs, folder.runtime]) makeFolders(path, FOR_OWNER);
		chmodSync(folder.path, FOR_OWNER);
	} catch (error) {
		const path = error instanceof Error && 'path' in error ? String(error.path) : folder.path;
		const about = path === folder.path ? '' : `${path}: `;
		throw new DataFolderError(
			`the data folder ${folder.path} cannot be used: ${about}${systemReason(error)}; choose another with --data-dir`,
		);
	}
}

const FOR_OWNER = 0o700;
