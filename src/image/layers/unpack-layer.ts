import { createHash } from 'node:crypto';
import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { removeTree } from '../../base/files/remove-tree.ts';
import { codeOf } from '../../base/files/system-error.ts';
import { type DigestAlgorithm, parseDigest } from '../digest.ts';
import { compressionOf } from '../manifests/media-types.ts';
import { LayerError } from './layer-error.ts';
import { LayerUnpacker, type UnpackedFiles, type UnpackPolicy } from './layer-unpacker.ts';
import { DEFAULT_LAYER_LIMITS, type LayerLimits } from './limits.ts';
import { TarReader } from './tar-reader.ts';

/**
 * Unpacks a layer while its bytes arrive. Nothing is kept in memory but the piece at hand: a layer of any size takes
 * the same memory. Two digests are checked: that of the bytes as they come (the blob of the registry), and that of
 * the archive in them (the diff id of the image's configuration).
 */

/** The layer, and where it goes. */
export interface UnpackRequest {
	/** The folder to create. It must not exist; no other user can enter its parent. */
	readonly root: string;
	/** The promised digests; undefined: not checked. */
	readonly digest: string | undefined;
	readonly diffId: string | undefined;
	readonly policy: UnpackPolicy;
	readonly limits?: Partial<LayerLimits>;
	/** Ends the unpacking; the promise then rejects with the signal's reason. */
	readonly signal?: AbortSignal | undefined;
	/** Called with the number of bytes that have arrived so far. */
	readonly onProgress?: ((packedBytes: number) => void) | undefined;
}

/** An unpacked layer. */
export interface UnpackedLayer extends UnpackedFiles {
	readonly digest: string;
	readonly diffId: string;
	readonly packedBytes: number;
	/** The length of the archive. */
	readonly archiveBytes: number;
}

/** Decompressed pieces of this size: each costs a switch between threads. */
const PIECE_BYTES = 256 << 10;
/** This part of the free space stays free. */
const RESERVED = 0.05;

/**
 * Unpacks `source`: a tar archive, plain or compressed by gzip or zstd, which its first bytes tell. (The media type
 * of a manifest is often wrong about it; the container engines do the same.) Rejects with a {@link LayerError}, with
 * the error of the source, or with the system's; then the folder does not exist.
 */
export async function unpackLayer(
	source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	request: UnpackRequest,
): Promise<UnpackedLayer> {
	const unpacker = new LayerUnpacker(request.root, request.policy);
	try {
		const meter = new LayerMeter(request);
		const reader = new TarReader(unpacker, meter.limits);
		await readArchive(source, { meter, reader, signal: request.signal });
		reader.finish();
		return { ...meter.finish(), ...unpacker.finish() };
	} catch (error) {
		unpacker.close();
		await removeTree(request.root);
		throw error;
	}
}

interface Reading {
	readonly meter: LayerMeter;
	readonly reader: TarReader;
	readonly signal: AbortSignal | undefined;
}

async function readArchive(
	source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
	{ meter, reader, signal }: Reading,
): Promise<void> {
	const pieces = meter.packed(source)[Symbol.asyncIterator]();
	const first = await firstBytes(pieces);
	const decompressor = decompressorOf(first);
	const read = async (unpacked: AsyncIterable<Buffer>): Promise<void> => {
		for await (const piece of unpacked) {
			meter.unpacked(piece);
			reader.write(piece);
		}
	};
	const all = Readable.from(withFirst(first, pieces), { objectMode: false, highWaterMark: PIECE_BYTES });
	try {
		if (decompressor) await pipeline(all, decompressor, read, { signal });
		else await pipeline(all, read, { signal });
	} catch (error) {
		signal?.throwIfAborted();
		// Bytes after the compressed data end a decompressor early, which then closes its source.
		const isClosed = codeOf(error) === 'ERR_STREAM_PREMATURE_CLOSE' && !meter.hasSourceFailed;
		if (!isClosed && !/^(Z_|ZSTD_)/.test(codeOf(error))) throw error;
		throw new LayerError('malformed', 'the compressed data is damaged or cut off', { cause: error });
	}
}

/** The length of the longest signature below. */
const SIGNATURE_BYTES = 4;

/** At least the bytes that tell the compression, if there are as many. */
async function firstBytes(pieces: AsyncIterator<Buffer>): Promise<Buffer> {
	let first: Buffer = Buffer.alloc(0);
	while (first.length < SIGNATURE_BYTES) {
		const { done, value } = await pieces.next();
		if (done) break;
		first = first.length === 0 ? value : Buffer.concat([first, value]);
	}
	return first;
}

async function* withFirst(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
	try {
		yield first;
		for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
	} finally {
		await rest.return?.();
	}
}

function decompressorOf(first: Buffer): Transform | undefined {
	const magic = first.length < SIGNATURE_BYTES ? 0 : first.readUInt32LE(0);
	// A chunked zstd stream may begin with a frame that decoders skip.
	const isSkippable = (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
	const compression = isSkippable ? 'zstd' : compressionOf(first);
	if (compression === 'gzip') return createGunzip({ chunkSize: PIECE_BYTES });
	if (compression === 'none') return undefined;
	return createZstdDecompress({ chunkSize: PIECE_BYTES, params: { [constants.ZSTD_d_windowLogMax]: 27 } });
}

/** Counts and hashes the bytes of a layer, and checks them against digests and limits. */
class LayerMeter {
	readonly limits: LayerLimits;
	readonly #request: UnpackRequest;
	readonly #packedHash;
	readonly #archiveHash;
	/** Whether the source itself has failed, so that its error says why the reading ended. */
	hasSourceFailed = false;
	#packedBytes = 0;
	#archiveBytes = 0;

	constructor(request: UnpackRequest) {
		const limits = { ...DEFAULT_LAYER_LIMITS, ...request.limits };
		const { bavail, bsize } = statfsSync(dirname(request.root));
		const unpackedBytes = Math.min(limits.unpackedBytes, Math.floor(bavail * bsize * (1 - RESERVED)));
		this.limits = { ...limits, unpackedBytes };
		this.#request = request;
		this.#packedHash = createHash(algorithmOf(request.digest));
		this.#archiveHash = createHash(algorithmOf(request.diffId));
	}

	/** Passes the pieces on, as Buffers. */
	async *packed(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
		try {
			for await (const bytes of source) {
				const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
				this.#packedBytes += piece.length;
				this.#packedHash.update(piece);
				this.#request.onProgress?.(this.#packedBytes);
				if (piece.length > 0) yield piece;
			}
		} catch (error) {
			this.hasSourceFailed = true;
			throw error;
		}
	}

	/** Counts a piece of the archive. Throws a {@link LayerError} if a limit is exceeded. */
	unpacked(piece: Buffer): void {
		this.#archiveBytes += piece.length;
		this.#archiveHash.update(piece);
		const { unpackedBytes, ratio, ratioFreeBytes } = this.limits;
		if (this.#archiveBytes > unpackedBytes) {
			const isSpace = unpackedBytes < (this.#request.limits?.unpackedBytes ?? Infinity);
			const limit = isSpace ? 'what the disk has free for it' : 'the limit of a layer';
			throw new LayerError('limit', `the layer has more than ${unpackedBytes} bytes, ${limit}`);
		}
		if (this.#archiveBytes > ratioFreeBytes && this.#archiveBytes > ratio * this.#packedBytes)
			throw new LayerError('limit', `the layer unpacks to more than ${ratio} times its size`);
	}

	/** The totals. Throws a {@link LayerError} if a digest is not the promised one. */
	finish(): Pick<UnpackedLayer, 'digest' | 'diffId' | 'packedBytes' | 'archiveBytes'> {
		const digest = digestText(this.#request.digest, this.#packedHash.digest('hex'));
		const diffId = digestText(this.#request.diffId, this.#archiveHash.digest('hex'));
		checkDigest('layer', digest, this.#request.digest);
		checkDigest('diff id of the layer', diffId, this.#request.diffId);
		return { digest, diffId, packedBytes: this.#packedBytes, archiveBytes: this.#archiveBytes };
	}
}

function algorithmOf(digest: string | undefined): DigestAlgorithm {
	return digest === undefined ? 'sha256' : parseDigest(digest).algorithm;
}

function digestText(promised: string | undefined, hex: string): string {
	return `${algorithmOf(promised)}:${hex}`;
}

function checkDigest(what: string, found: string, promised: string | undefined): void {
	if (promised !== undefined && found !== promised)
		throw new LayerError('digest', `the ${what} has the digest ${found}, not ${promised}`);
}
