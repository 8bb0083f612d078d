import type { Digest } from '../digest.ts';
import { digestIn, piecesOf, type RegistryCall, type RegistryReply } from './registry-call.ts';
import { RegistryProblem } from './registry-problem.ts';
import type { BlobUpload } from './uploads.ts';

/** Uploads of blobs (OCI distribution specification, "Pushing blobs"). */

/** `POST`: begins an upload, uploads a blob in one request, or takes it from another repository. */
export async function startUpload(call: RegistryCall): Promise<RegistryReply> {
	const { query, name, uploads, store } = call;
	const [mount, from, digest] = [query.get('mount'), query.get('from'), query.get('digest')];
	if (mount !== null && from !== null) {
		const mounted = digestIn(mount);
		if (await store.repositories.mountBlob(name, { digest: mounted, from })) return created(call, mounted);
	}
	const wanted = digest === null ? undefined : digestIn(digest);
	const upload = await uploads.begin(name);
	if (wanted === undefined) return progressOf(call, upload, 202);
	try {
		await upload.append(piecesOf(call.request));
		return await finish(call, upload, wanted);
	} finally {
		// The client does not know the upload, so it cannot continue it.
		await upload.cancel();
	}
}

/** `GET`: how much has arrived. */
export async function getUpload(call: RegistryCall): Promise<RegistryReply> {
	return progressOf(call, uploadOf(call), 204);
}

/** `PATCH`: the next piece, or all. */
export async function appendToUpload(call: RegistryCall): Promise<RegistryReply> {
	const upload = uploadOf(call);
	checkPlace(call, upload);
	await upload.append(piecesOf(call.request));
	return progressOf(call, upload, 202);
}

/** `PUT`: the last piece, which may be empty, and the digest. */
export async function finishUpload(call: RegistryCall): Promise<RegistryReply> {
	const upload = uploadOf(call);
	const digest = call.query.get('digest');
	if (digest === null) throw new RegistryProblem('DIGEST_INVALID', 'the parameter digest is missing');
	const wanted = digestIn(digest);
	checkPlace(call, upload);
	await upload.append(piecesOf(call.request));
	return await finish(call, upload, wanted);
}

/** `DELETE`: gives the upload up. */
export async function cancelUpload(call: RegistryCall): Promise<RegistryReply> {
	await uploadOf(call).cancel();
	return { status: 204 };
}

function uploadOf({ uploads, reference, name }: RegistryCall): BlobUpload {
	return uploads.get(reference, name);
}

async function finish(call: RegistryCall, upload: BlobUpload, digest: Digest): Promise<RegistryReply> {
	const { repositories } = call.store;
	await upload.finish(digest, (draft) => repositories.addBlob(call.name, { digest, draft }));
	return created(call, digest);
}

/** Throws if the header Content-Range says that the body does not follow what has arrived. */
function checkPlace(call: RegistryCall, upload: BlobUpload): void {
	const range = call.request.headers['content-range'];
	if (range === undefined) return;
	const parts = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/.*)?$/.exec(range);
	const [start, end] = [Number(parts?.[1]), Number(parts?.[2])];
	const length = call.request.headers['content-length'];
	const fits = length === undefined || Number(length) === end - start + 1;
	if (parts && start === upload.size && fits) return;
	throw new RegistryProblem(
		'RANGE_INVALID',
		`the range ${range.slice(0, 100)} does not fit: ${upload.size} bytes have arrived`,
		{ headers: progressHeaders(call, upload) },
	);
}

function progressOf(call: RegistryCall, upload: BlobUpload, status: number): RegistryReply {
	return { status, headers: progressHeaders(call, upload) };
}

function progressHeaders({ name }: RegistryCall, { id, size }: BlobUpload): Readonly<Record<string, string>> {
	return {
		Location: `/v2/${name}/blobs/uploads/${id}`,
		'Docker-Upload-UUID': id,
		// Of an upload without a byte too, as in Docker's registry.
		Range: `0-${Math.max(size - 1, 0)}`,
	};
}

function created({ name }: RegistryCall, digest: Digest): RegistryReply {
	return {
		status: 201,
		headers: { Location: `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest': digest },
	};
}
