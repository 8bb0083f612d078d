import { stat } from 'node:fs/promises';
import { undefinedIfMissing } from '../../base/files/system-error.ts';
import type { Digest } from '../digest.ts';
import { digestIn, type RegistryCall, type RegistryReply } from './registry-call.ts';
import { RegistryProblem } from './registry-problem.ts';

/** Blobs (OCI distribution specification, "Pulling blobs" and "Deleting Blobs"). */

/** `GET` and `HEAD`: a blob, or a part of it. */
export async function getBlob({ store, name, reference, request }: RegistryCall): Promise<RegistryReply> {
	const digest = digestIn(reference);
	const path = store.folders.blob(digest);
	const isThere = await store.repositories.hasBlob(name, digest);
	const stats = isThere ? await stat(path).catch(undefinedIfMissing) : undefined;
	if (!stats) throw unknownBlob(digest);
	const { size } = stats;
	const headers = {
		'Content-Type': 'application/octet-stream',
		'Docker-Content-Digest': digest,
		'Accept-Ranges': 'bytes',
		// The content of a digest never changes.
		'Cache-Control': 'max-age=31536000',
		ETag: `"${digest}"`,
	};
	const range = rangeOf(request.headers.range, size);
	if (range === 'unsatisfiable')
		throw new RegistryProblem('RANGE_INVALID', `the blob has ${size} bytes`, {
			headers: { 'Content-Range': `bytes */${size}` },
		});
	if (!range) return { status: 200, headers, body: { path, start: 0, length: size } };
	const { start, end } = range;
	return {
		status: 206,
		headers: { ...headers, 'Content-Range': `bytes ${start}-${end}/${size}` },
		body: { path, start, length: end - start + 1 },
	};
}

/** `DELETE`: takes a blob from the repository. */
export async function deleteBlob({ store, name, reference }: RegistryCall): Promise<RegistryReply> {
	const digest = digestIn(reference);
	if (!(await store.repositories.hasBlob(name, digest))) throw unknownBlob(digest);
	const user = await store.repositories.removeBlob(name, digest);
	if (user)
		throw new RegistryProblem('UNSUPPORTED', `the manifest ${user.digest} needs the blob ${digest}`, {
			detail: { digest },
		});
	await store.sweep();
	return { status: 202 };
}

function unknownBlob(digest: Digest): RegistryProblem {
	return new RegistryProblem('BLOB_UNKNOWN', `the repository has no blob ${digest}`, { detail: { digest } });
}

/** The bytes that a header `Range` asks for, both inclusive (RFC 9110, section 14.1.2). Undefined: all. */
function rangeOf(
	header: string | undefined,
	size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
	// A request for several ranges may be answered with all.
	const parts = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
	if (!parts) return undefined;
	const [, from = '', to = ''] = parts;
	if (from === '' && to === '') return undefined;
	const start = from === '' ? Math.max(size - Number(to), 0) : Number(from);
	const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
	if (from !== '' && to !== '' && Number(to) < start) return undefined;
	return start > end ? 'unsatisfiable' : { start, end };
}
