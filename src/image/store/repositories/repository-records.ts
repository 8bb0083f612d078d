import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { undefinedIfMissing } from '../../../base/files/system-error.ts';
import type { Digest } from '../../digest.ts';
import { digestOfFileName, fileNameOf, type StoreFolders } from '../store-folders.ts';

/**
 * What stint's registry knows of a repository, as files:
 *
 *     repository.json       its name
 *     blobs/sha256-…        empty: the repository has this blob, which is in the store's folder of blobs
 *     manifests/sha256-….json   the record of a manifest or index, whose bytes are a blob of the store
 *     tags/<tag>.json       what a tag means
 *
 * The time of a file says since when its content is needed only because a client is about to refer to it: the file of a
 * blob has that of the upload, of the mount, or of the last question for it, the record of a manifest the moment at which
 * the last tag left it. Zero: there is no such time, so that the content is garbage once nothing refers to it.
 */

/** The record of a manifest, or of an index, in a repository. */
export interface ManifestRecord {
	readonly digest: Digest;
	readonly mediaType: string;
	readonly size: number;
	/** What kind of artifact it is, if it is no image: the field `artifactType`, or the media type of its configuration. */
	readonly artifactType?: string;
	/** The manifest that this one is about, such as the image that it signs. It need not exist. */
	readonly subject?: Digest;
	readonly annotations?: Readonly<Record<string, string>>;
	/** The blobs that it names. */
	readonly blobs: readonly Digest[];
	/** The manifests that it names, of an index. */
	readonly manifests: readonly Digest[];
}

/** What a tag means. */
export interface TagRecord {
	readonly digest: Digest;
	/** The name of the registry under which the client pushed, such as `localhost:5000`. */
	readonly host: string;
}

/** A manifest with the time of its record, in ms since the epoch. */
export interface TimedManifest extends ManifestRecord {
	readonly untaggedAt: number;
}

/** A repository on disk. It need not exist. */
export class RepositoryFiles {
	readonly path: string;
	readonly nameFile: string;
	readonly blobs: string;
	readonly manifests: string;
	readonly tags: string;

	constructor(path: string) {
		this.path = path;
		this.nameFile = join(path, 'repository.json');
		this.blobs = join(path, 'blobs');
		this.manifests = join(path, 'manifests');
		this.tags = join(path, 'tags');
	}

	blob(digest: Digest): string {
		return join(this.blobs, fileNameOf(digest));
	}

	manifest(digest: Digest): string {
		return join(this.manifests, `${fileNameOf(digest)}.json`);
	}

	/** `tag` is well-formed, so it is a file name. */
	tag(tag: string): string {
		return join(this.tags, `${tag}.json`);
	}

	/** The record of a manifest; undefined if the repository does not have it. */
	readManifest(digest: Digest): Promise<ManifestRecord | undefined> {
		return readJson<ManifestRecord>(this.manifest(digest));
	}

	/** The records of all manifests. */
	async readManifests(): Promise<readonly TimedManifest[]> {
		const found: TimedManifest[] = [];
		for (const name of await namesIn(this.manifests)) {
			const path = join(this.manifests, name);
			const record = await readJson<ManifestRecord>(path);
			const stats = await stat(path).catch(undefinedIfMissing);
			if (record && stats) found.push({ ...record, untaggedAt: stats.mtimeMs });
		}
		return found;
	}

	/** What a tag means; undefined if the repository does not have it. */
	readTag(tag: string): Promise<TagRecord | undefined> {
		return readJson<TagRecord>(this.tag(tag));
	}

	/** All tags, in no particular order. */
	async tagNames(): Promise<readonly string[]> {
		return (await namesIn(this.tags)).map((name) => name.slice(0, -'.json'.length));
	}

	/** All tags with what they mean. */
	async readTags(): Promise<ReadonlyMap<string, TagRecord>> {
		const found = new Map<string, TagRecord>();
		for (const name of await this.tagNames()) {
			const record = await this.readTag(name);
			if (record) found.set(name, record);
		}
		return found;
	}

	/** The digests of the blobs with the times of their files. */
	async readBlobs(): Promise<ReadonlyMap<Digest, number>> {
		const found = new Map<Digest, number>();
		for (const name of await namesIn(this.blobs)) {
			const digest = digestOfFileName(name);
			const stats = digest && (await stat(join(this.blobs, name)).catch(undefinedIfMissing));
			if (digest && stats) found.set(digest, stats.mtimeMs);
		}
		return found;
	}

	/** The name of the repository; undefined if it does not exist. */
	async readName(): Promise<string | undefined> {
		return (await readJson<{ readonly name: string }>(this.nameFile))?.name;
	}
}

/** All repositories. */
export async function allRepositories(folders: StoreFolders): Promise<readonly RepositoryFiles[]> {
	return (await readdir(folders.registry)).map((name) => new RepositoryFiles(join(folders.registry, name)));
}

async function namesIn(folder: string): Promise<readonly string[]> {
	return (await readdir(folder).catch(undefinedIfMissing)) ?? [];
}

async function readJson<T>(path: string): Promise<T | undefined> {
	const text = await readFile(path, 'utf8').catch(undefinedIfMissing);
	return text === undefined ? undefined : JSON.parse(text);
}
