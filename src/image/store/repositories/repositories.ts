import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import type { Clock } from '../../../base/clock.ts';
import { compareText } from '../../../base/compare-text.ts';
import { isMissing } from '../../../base/files/system-error.ts';
import type { Digest } from '../../digest.ts';
import type { StoreFolders } from '../store-folders.ts';
import { isStored, type StoreSession } from '../store-session.ts';
import {
	allRepositories,
	type ManifestRecord,
	RepositoryFiles,
	type TagRecord,
} from './repository-records.ts';

/**
 * The repositories of stint's registry, in the store of images: an image that was pushed is unpacked from the blobs that
 * the push has left, without another copy of them.
 *
 * 1. A repository has only what was pushed or mounted into it. What the store has otherwise, such as layers that a Pod's
 *    Secret has paid for, is not in a repository.
 * 2. A manifest is recorded after what it names, so that nothing refers to content that is missing; what a recorded manifest
 *    names stays.
 * 3. Several processes may use the repositories at the same time. Acts that change them hold the lock of the store.
 *
 * Order of reading: repository-records.ts, this file, kept-manifests.ts, sweep-repositories.ts.
 */
export class Repositories {
	readonly #options: RepositoriesOptions;

	constructor(options: RepositoriesOptions) {
		this.#options = options;
	}

	/** The names of the repositories that have a manifest, in order. */
	async names(): Promise<readonly string[]> {
		const names: string[] = [];
		for (const files of await allRepositories(this.#options.folders)) {
			const name = await files.readName();
			if (name !== undefined && (await files.readManifests()).length > 0) names.push(name);
		}
		return names.sort(compareText);
	}

	/** Whether a repository exists: something was pushed into it. */
	async exists(name: string): Promise<boolean> {
		return (await this.#files(name).readName()) === name;
	}

	/** Whether the repository has a blob; if so, a client may refer to it within the next hour. */
	async hasBlob(name: string, digest: Digest): Promise<boolean> {
		const files = this.#files(name);
		if (!(await isStored(files.blob(digest))) || !(await isStored(this.#options.folders.blob(digest))))
			return false;
		// A manifest that names the blob does not stop to do so because a client asks.
		return await this.#touch(files.blob(digest));
	}

	/** Gives the repository a blob: `draft`, which has this digest and is on disk, is moved in place or removed. */
	async addBlob(name: string, { digest, draft }: NewBlob): Promise<void> {
		const { folders, session, locked } = this.#options;
		await locked(async () => {
			if (await isStored(folders.blob(digest))) await session.discard(draft);
			else await session.adopt(draft, folders.blob(digest));
			await this.#link(await this.#created(name), digest);
		});
		await session.emptyTrash();
	}

	/** Gives the repository a blob that another one has. Resolves to false if that one does not have it. */
	async mountBlob(name: string, { digest, from }: MountedBlob): Promise<boolean> {
		return await this.#options.locked(async () => {
			if (!(await this.hasBlob(from, digest))) return false;
			await this.#link(await this.#created(name), digest);
			return true;
		});
	}

	/** Takes a blob from the repository. Resolves to the manifest that needs it, which then keeps it. */
	async removeBlob(name: string, digest: Digest): Promise<ManifestRecord | undefined> {
		return await this.#options.locked(async () => {
			const files = this.#files(name);
			const user = (await files.readManifests()).find(({ blobs }) => blobs.includes(digest));
			if (!user) await this.#options.session.discard(files.blob(digest));
			return user;
		});
	}

	/** The record of a manifest; undefined if the repository does not have it. */
	manifest(name: string, digest: Digest): Promise<ManifestRecord | undefined> {
		return this.#files(name).readManifest(digest);
	}

	/** The manifests about another one, which need not exist. */
	async referrers(name: string, subject: Digest): Promise<readonly ManifestRecord[]> {
		const manifests = await this.#files(name).readManifests();
		return manifests
			.filter((each) => each.subject === subject)
			.sort((a, b) => compareText(a.digest, b.digest));
	}

	/** What a tag means; undefined if the repository does not have it. */
	tag(name: string, tag: string): Promise<TagRecord | undefined> {
		return this.#files(name).readTag(tag);
	}

	/** The tags of a repository, in order. */
	async tags(name: string): Promise<readonly string[]> {
		return [...(await this.#files(name).tagNames())].sort(compareText);
	}

	/**
	 * Records a manifest, and gives it a tag. Resolves to the digests that it names and the repository does not have; then
	 * nothing has changed.
	 */
	async addManifest(name: string, added: NewManifest): Promise<readonly Digest[]> {
		return await this.#options.locked(async () => {
			const { folders, session } = this.#options;
			const { record, required, bytes, tag, host } = added;
			const files = this.#files(name);
			const missing = await this.#missing(files, record, required);
			if (missing.length > 0) return missing;
			await this.#created(name);
			if (!(await isStored(folders.blob(record.digest))))
				await session.write(folders.blob(record.digest), bytes);
			await session.write(files.manifest(record.digest), JSON.stringify(record));
			await this.#touch(files.manifest(record.digest));
			if (tag !== undefined) await this.#setTag(files, tag, { digest: record.digest, host });
			// From now on the manifest keeps them, and they are garbage without it.
			for (const blob of record.blobs) await setTime(files.blob(blob), 0);
			for (const part of record.manifests) await setTime(files.manifest(part), 0);
			return [];
		});
	}

	/**
	 * Removes a manifest with its tags. Resolves to these tags, or to the index that needs the manifest, which then keeps it.
	 */
	async removeManifest(name: string, digest: Digest): Promise<RemovedManifest> {
		return await this.#options.locked(async () => {
			const files = this.#files(name);
			const user = (await files.readManifests()).find(({ manifests }) => manifests.includes(digest));
			if (user) return { neededBy: user, tags: [] };
			const tags = [...(await files.readTags())].filter(([, meant]) => meant.digest === digest);
			for (const [tag] of tags) await this.#options.session.discard(files.tag(tag));
			await this.#options.session.discard(files.manifest(digest));
			return { neededBy: undefined, tags: tags.map(([tag]) => tag) };
		});
	}

	/** Removes a tag. Its manifest is garbage if it was the last one. Resolves to false if there is no such tag. */
	async removeTag(name: string, tag: string): Promise<boolean> {
		return await this.#options.locked(() => this.#removeTag(this.#files(name), tag));
	}

	/** Removes a tag as {@link removeTag} does, if it was pushed to a registry of one of these names. */
	async removeTagPushedTo(name: string, { tag, isHost }: PushedTag): Promise<boolean> {
		return await this.#options.locked(async () => {
			const files = this.#files(name);
			const meant = await files.readTag(tag);
			return meant !== undefined && isHost(meant.host) && (await this.#removeTag(files, tag));
		});
	}

	async #removeTag(files: RepositoryFiles, tag: string): Promise<boolean> {
		const meant = await files.readTag(tag);
		if (!meant) return false;
		await this.#options.session.discard(files.tag(tag));
		await setTime(files.manifest(meant.digest), 0);
		return true;
	}

	async #setTag(files: RepositoryFiles, tag: string, record: TagRecord): Promise<void> {
		const earlier = await files.readTag(tag);
		await this.#options.session.write(files.tag(tag), JSON.stringify(record));
		if (earlier && earlier.digest !== record.digest) await this.#touch(files.manifest(earlier.digest));
	}

	/** Which content of a manifest the repository lacks. */
	async #missing(
		files: RepositoryFiles,
		{ manifests }: ManifestRecord,
		required: readonly Digest[],
	): Promise<readonly Digest[]> {
		const { folders } = this.#options;
		const missing: Digest[] = [];
		for (const blob of new Set(required))
			if (!(await isStored(files.blob(blob))) || !(await isStored(folders.blob(blob)))) missing.push(blob);
		for (const part of new Set(manifests)) if (!(await isStored(files.manifest(part)))) missing.push(part);
		return missing;
	}

	#files(name: string): RepositoryFiles {
		return new RepositoryFiles(this.#options.folders.repository(name));
	}

	/** The repository, which is created if it does not exist. The caller holds the lock of the store. */
	async #created(name: string): Promise<RepositoryFiles> {
		const { session } = this.#options;
		const files = this.#files(name);
		if (await isStored(files.path)) return files;
		const draft = new RepositoryFiles(session.draft());
		for (const folder of [draft.path, draft.blobs, draft.manifests, draft.tags])
			await mkdir(folder, { mode: 0o700 });
		await session.write(draft.nameFile, JSON.stringify({ name }));
		await session.adopt(draft.path, files.path);
		return files;
	}

	async #link(files: RepositoryFiles, digest: Digest): Promise<void> {
		const draft = this.#options.session.draft();
		await writeFile(draft, '', { mode: 0o600, flag: 'wx' });
		// A power failure may lose it: the client then pushes the blob again.
		await rename(draft, files.blob(digest));
		await this.#touch(files.blob(digest));
	}

	/** Whether the file exists, whose time is now. */
	#touch(path: string): Promise<boolean> {
		return setTime(path, this.#options.clock.now());
	}
}

/** What the repositories need of the store. */
export interface RepositoriesOptions {
	readonly folders: StoreFolders;
	readonly session: StoreSession;
	readonly clock: Clock;
	/** Calls a short act while this process holds the lock of the store. */
	readonly locked: <T>(act: () => Promise<T>) => Promise<T>;
}

/** A blob that was uploaded. */
export interface NewBlob {
	readonly digest: Digest;
	/** The path of its file, which the session of the store has given. */
	readonly draft: string;
}

/** A blob of another repository. */
export interface MountedBlob {
	readonly digest: Digest;
	readonly from: string;
}

/** A manifest that was pushed. */
export interface NewManifest {
	readonly record: ManifestRecord;
	/** The blobs among those of the record that the repository must have: not layers that are elsewhere. */
	readonly required: readonly Digest[];
	readonly bytes: Uint8Array;
	readonly tag: string | undefined;
	/** See {@link TagRecord}. */
	readonly host: string;
}

/** What the removal of a manifest did. */
export interface RemovedManifest {
	/** The index that names it; then nothing was removed. */
	readonly neededBy: ManifestRecord | undefined;
	readonly tags: readonly string[];
}

/** A tag, and to which registries it was pushed. */
export interface PushedTag {
	readonly tag: string;
	readonly isHost: (host: string) => boolean;
}

/** Whether the file exists, whose time is then `at`, in ms since the epoch. */
async function setTime(path: string, at: number): Promise<boolean> {
	try {
		await utimes(path, at / 1000, at / 1000);
		return true;
	} catch (error) {
		if (isMissing(error)) return false;
		throw error;
	}
}
