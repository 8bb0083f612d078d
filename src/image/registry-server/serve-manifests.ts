import { quote } from '../../base/quote.ts';
import { type Digest, digestOf, isDigest, parseDigest } from '../digest.ts';
import { MAX_MANIFEST_BYTES, ManifestError } from '../manifests/document.ts';
import { bareMediaType } from '../manifests/media-types.ts';
import type { ManifestRecord } from '../store/repositories/repository-records.ts';
import { readPushedManifest } from './pushed-manifest.ts';
import { digestIn, type RegistryCall, type RegistryReply, wholeBody } from './registry-call.ts';
import { RegistryProblem } from './registry-problem.ts';

/** Manifests and indexes (OCI distribution specification, "Pulling manifests", "Pushing Manifests", "Deleting Manifests"). */

/** `GET` and `HEAD`: what a tag or a digest means. */
export async function getManifest(call: RegistryCall): Promise<RegistryReply> {
	const { store } = call;
	const record = await recordOf(call);
	const bytes = record && (await store.presentBlob(record.digest));
	if (!record || !bytes) throw await unknownManifest(call);
	const { digest, mediaType } = record;
	return {
		status: 200,
		headers: { 'Content-Type': mediaType, 'Docker-Content-Digest': digest, ETag: `"${digest}"` },
		body: bytes,
	};
}

/** `PUT`: records a manifest, by its digest or with a tag. */
export async function putManifest(call: RegistryCall): Promise<RegistryReply> {
	const { store, request, reference, name, host } = call;
	const tag = isTagOf(reference) ? reference : undefined;
	const bytes = await wholeBody(request, MAX_MANIFEST_BYTES);
	const digest = tag === undefined ? checkedDigest(digestIn(reference), bytes) : digestOf(bytes);
	const manifest = readPushed(bytes, { digest, mediaType: bareMediaType(request.headers['content-type']) });
	const missing = await store.repositories.addManifest(name, { ...manifest, bytes, tag, host });
	if (missing.length > 0) {
		const detail = missing.map((each) => ({ digest: each }));
		const message = `the repository has no blob or manifest ${missing.slice(0, 5).join(', ')}`;
		throw new RegistryProblem('MANIFEST_BLOB_UNKNOWN', message, { detail });
	}
	if (tag !== undefined) await call.onTag({ name, tag, host, digest });
	const { subject } = manifest.record;
	return {
		status: 201,
		headers: {
			Location: `/v2/${name}/manifests/${digest}`,
			'Docker-Content-Digest': digest,
			...(subject !== undefined && { 'OCI-Subject': subject }),
		},
	};
}

/** `DELETE`: removes a tag, or a manifest with all its tags. What nothing else needs of it is removed at once. */
export async function deleteManifest(call: RegistryCall): Promise<RegistryReply> {
	const { store, name, host, reference } = call;
	const removed = isTagOf(reference) ? await removedTag(call) : await removedManifest(call);
	for (const tag of removed) await call.onTag({ name, tag, host, digest: undefined });
	await store.sweep();
	return { status: 202 };
}

async function removedTag(call: RegistryCall): Promise<readonly string[]> {
	const { store, name, reference } = call;
	if (await store.repositories.removeTag(name, reference)) return [reference];
	throw await unknownManifest(call);
}

async function removedManifest(call: RegistryCall): Promise<readonly string[]> {
	const { repositories } = call.store;
	const record = await recordOf(call);
	if (!record) throw await unknownManifest(call);
	const { tags, neededBy } = await repositories.removeManifest(call.name, record.digest);
	if (neededBy)
		throw new RegistryProblem(
			'UNSUPPORTED',
			`the index ${neededBy.digest} needs the manifest ${record.digest}`,
		);
	return tags;
}

/** Whether a reference is a tag. Throws a {@link RegistryProblem} if it is no digest either. */
function isTagOf(reference: string): boolean {
	if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(reference)) return true;
	if (reference.includes(':') || isDigest(reference)) {
		digestIn(reference);
		return false;
	}
	throw new RegistryProblem('TAG_INVALID', `${quote(reference.slice(0, 200))} is neither a tag nor a digest`);
}

async function recordOf({ store, name, reference }: RegistryCall): Promise<ManifestRecord | undefined> {
	const { repositories } = store;
	if (!isTagOf(reference)) return await repositories.manifest(name, reference);
	const meant = await repositories.tag(name, reference);
	return meant && (await repositories.manifest(name, meant.digest));
}

async function unknownManifest({ store, name, reference }: RegistryCall): Promise<RegistryProblem> {
	if (!(await store.repositories.exists(name)))
		return new RegistryProblem('NAME_UNKNOWN', `there is no repository ${name}`, { detail: { name } });
	const what = isDigest(reference) ? 'manifest' : 'tag';
	return new RegistryProblem('MANIFEST_UNKNOWN', `the repository ${name} has no ${what} ${reference}`, {
		detail: { name, reference },
	});
}

function checkedDigest(digest: Digest, bytes: Uint8Array): Digest {
	const actual = digestOf(bytes, parseDigest(digest).algorithm);
	if (actual === digest) return digest;
	throw new RegistryProblem('DIGEST_INVALID', `the manifest has the digest ${actual}, and not ${digest}`);
}

function readPushed(
	bytes: Uint8Array,
	type: { readonly digest: Digest; readonly mediaType: string },
): ReturnType<typeof readPushedManifest> {
	try {
		return readPushedManifest(bytes, type);
	} catch (error) {
		if (!(error instanceof ManifestError)) throw error;
		throw new RegistryProblem('MANIFEST_INVALID', error.message);
	}
}
