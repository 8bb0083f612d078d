import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openPrivateFolder, openPrivateRoot } from '../../base/files/private-files.ts';
import { type Digest, parseDigest } from '../digest.ts';

/**
 * Where what is in the store:
 *
 *     blobs/sha256-…        manifests, indexes, configurations; layers as they came only if they are kept
 *     layers/sha256-…/      a layer by its chain id: the folder fs with its files, its marks, its record
 *     images/sha256-….json  records of images by their id, which is the digest of the configuration
 *     refs/….json           names of images, by the hash of the name
 *     registry/<hash>/      repositories of stint's own registry, by the hash of the name: see repositories/
 *     containers/<id>/      roots of containers: container.json; merged/, or upper/, work/ and merged/
 *     sessions/<id>/        a process that uses the store: its lock, its lease, its drafts, and what it removes
 *     locks/                locks of layers that are being unpacked
 *     lock                  the lock of the store
 */
export class StoreFolders {
	readonly root: string;
	readonly blobs: string;
	readonly layers: string;
	readonly images: string;
	readonly refs: string;
	readonly registry: string;
	readonly containers: string;
	readonly sessions: string;
	readonly locks: string;
	readonly lock: string;

	/** Creates the folders. They are private: files in them keep their set-id bits and the modes of their images. */
	constructor(root: string) {
		const names = [...['blobs', 'layers', 'images', 'refs', 'registry', 'containers', 'sessions', 'locks']];
		openPrivateRoot(root, new Set([...names, 'lock']));
		for (const name of names) openPrivateFolder(join(root, name));
		this.root = root;
		this.blobs = join(root, 'blobs');
		this.layers = join(root, 'layers');
		this.images = join(root, 'images');
		this.refs = join(root, 'refs');
		this.registry = join(root, 'registry');
		this.containers = join(root, 'containers');
		this.sessions = join(root, 'sessions');
		this.locks = join(root, 'locks');
		this.lock = join(root, 'lock');
	}

	/** The file of a blob. */
	blob(digest: Digest): string {
		return join(this.blobs, fileNameOf(digest));
	}

	/** The folder of a layer. */
	layer(chainId: Digest): string {
		return join(this.layers, fileNameOf(chainId));
	}

	/** The record of an image. */
	image(id: Digest): string {
		return join(this.images, `${fileNameOf(id)}.json`);
	}

	/** The record of a name. Names may be longer than file names. */
	ref(name: string): string {
		return join(this.refs, `${hashOf(name)}.json`);
	}

	/** The folder of a repository of the registry. */
	repository(name: string): string {
		return join(this.registry, hashOf(name));
	}

	/** The folder of a container. Throws if the id is no plain file name. */
	container(id: string): string {
		if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id)) throw new Error(`${id} is not the id of a container`);
		return join(this.containers, id);
	}

	/** The lock file of a layer that is being unpacked. */
	layerLock(chainId: Digest): string {
		return join(this.locks, fileNameOf(chainId));
	}
}

function hashOf(name: string): string {
	return createHash('sha256').update(name).digest('hex');
}

/** A digest as a file name. Throws for a text that is no digest. */
export function fileNameOf(digest: Digest): string {
	const { algorithm, hex } = parseDigest(digest);
	return `${algorithm}-${hex}`;
}

/** The digest of a file name; undefined for other files. */
export function digestOfFileName(name: string): Digest | undefined {
	const match = /^(sha256|sha384|sha512)-([0-9a-f]+)(\.json)?$/.exec(name);
	return match ? `${match[1]}:${match[2]}` : undefined;
}
