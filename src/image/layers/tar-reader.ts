import { shownPath } from './byte-path.ts';
import { LayerError } from './layer-error.ts';
import type { LayerLimits } from './limits.ts';
import {
	areSparse,
	headerRecords,
	type PaxRecords,
	parsePaxRecords,
	withPaxRecords,
	xattrsOf,
} from './pax-records.ts';
import { parseTarHeader, TAR_BLOCK, type TarHeader } from './tar-header.ts';

/** An entry of an archive. Names are byte strings, as they stand in the archive: not checked. */
export interface LayerEntry {
	readonly kind: 'file' | 'folder' | 'symlink' | 'hardlink' | 'device' | 'fifo';
	readonly path: string;
	/** Of links only; else empty. */
	readonly linkTarget: string;
	/** The permission bits, set-id bits and sticky bit. */
	readonly mode: number;
	readonly uid: number;
	readonly gid: number;
	/** The length of the content; 0 for all kinds but `file`. */
	readonly size: number;
	/** In seconds since the epoch, with a fraction. */
	readonly mtime: number;
	readonly xattrs: ReadonlyMap<string, string>;
}

/** Receives the entries of an archive in order. What a method throws ends the reading. */
export interface TarSink {
	/** An entry begins. */
	entry(entry: LayerEntry): void;
	/** A part of the content of a file, never empty. The bytes are valid only during the call. */
	data(bytes: Buffer): void;
	/** The entry is complete. */
	end(): void;
}

const KINDS: Readonly<Record<string, LayerEntry['kind']>> = {
	'0': 'file',
	'1': 'hardlink',
	'2': 'symlink',
	'3': 'device',
	'4': 'device',
	'5': 'folder',
	'6': 'fifo',
	'7': 'file',
};

const NO_RECORDS: PaxRecords = new Map();
const NO_XATTRS: ReadonlyMap<string, string> = new Map();

/**
 * Reads a tar archive that arrives in pieces of any size: ustar, PAX with global headers, GNU long names and links,
 * base-256 numbers. It pushes entries synchronously into a sink, since an iterator with a promise for each piece of
 * each file costs more than the parsing. Memory: one extension header. Sparse files and the types of multi-volume
 * archives are refused. As in the container engines, a size that a header without content has is ignored, an archive
 * may end without its zero blocks, and bytes after the zero blocks are ignored.
 */
export class TarReader {
	readonly #sink: TarSink;
	readonly #limits: Pick<LayerLimits, 'extensionBytes' | 'entries'>;
	/** A block that arrives in several pieces. */
	readonly #block = Buffer.alloc(TAR_BLOCK);
	#blockLength = 0;
	/** What the next bytes are; `remaining` and `padding` count down. */
	#state: 'header' | 'extension' | 'content' | 'ended' = 'header';
	#remaining = 0;
	#padding = 0;
	#sawZeroBlock = false;
	#entries = 0;
	#extension: { readonly type: string; readonly body: Buffer } | undefined;
	/** What extension headers say about the next entry. */
	#longName = '';
	#longLink = '';
	#records = NO_RECORDS;
	#global = NO_RECORDS;

	constructor(sink: TarSink, limits: Pick<LayerLimits, 'extensionBytes' | 'entries'>) {
		this.#sink = sink;
		this.#limits = limits;
	}

	/** Reads the next piece. Throws a {@link LayerError}, or what the sink throws; then no method may be called. */
	write(piece: Buffer): void {
		let at = 0;
		while (at < piece.length && this.#state !== 'ended') {
			if (this.#state === 'header') at += this.#skipOrReadHeader(piece, at);
			else at += this.#readContent(piece, at);
		}
	}

	/** The archive has no more bytes. Throws a {@link LayerError} if it is cut off. */
	finish(): void {
		const isCut = this.#state === 'extension' || this.#state === 'content' || this.#blockLength > 0;
		const isPending = this.#longName !== '' || this.#longLink !== '' || this.#records.size > 0;
		if (isCut || isPending || this.#padding > 0)
			throw new LayerError('malformed', 'the tar archive is cut off');
	}

	/** Returns the number of bytes that it used. */
	#skipOrReadHeader(piece: Buffer, at: number): number {
		if (this.#padding > 0) {
			const skipped = Math.min(this.#padding, piece.length - at);
			this.#padding -= skipped;
			return skipped;
		}
		if (this.#blockLength === 0 && piece.length - at >= TAR_BLOCK) {
			this.#readHeader(piece.subarray(at, at + TAR_BLOCK));
			return TAR_BLOCK;
		}
		const used = piece.copy(this.#block, this.#blockLength, at, at + TAR_BLOCK - this.#blockLength);
		this.#blockLength += used;
		if (this.#blockLength === TAR_BLOCK) {
			this.#blockLength = 0;
			this.#readHeader(this.#block);
		}
		return used;
	}

	#readHeader(block: Buffer): void {
		const header = parseTarHeader(block);
		if (!header) {
			if (this.#sawZeroBlock) this.#state = 'ended';
			this.#sawZeroBlock = true;
			return;
		}
		if (this.#sawZeroBlock)
			throw new LayerError('malformed', 'the tar archive continues after a block of zeros');
		this.#entries += 1;
		if (this.#entries > this.#limits.entries)
			throw new LayerError('limit', `the layer has more than ${this.#limits.entries} entries`);
		if ('xgLK'.includes(header.type)) this.#beginExtension(header);
		else this.#beginEntry(header);
	}

	#beginExtension({ type, size }: TarHeader): void {
		const most = this.#limits.extensionBytes;
		if (size > most)
			throw new LayerError('limit', `an extension header of ${size} bytes; the maximum is ${most}`);
		this.#extension = { type, body: Buffer.alloc(size) };
		this.#beginContent('extension', size);
		if (size === 0) this.#endContent();
	}

	#beginEntry(plain: TarHeader): void {
		const records = this.#recordsOfEntry();
		const header = withPaxRecords(
			{ ...plain, name: this.#longName || plain.name, linkName: this.#longLink || plain.linkName },
			records,
		);
		this.#longName = '';
		this.#longLink = '';
		this.#records = NO_RECORDS;
		const kind = KINDS[header.type];
		if (header.type === 'S' || areSparse(records))
			throw new LayerError(
				'refused',
				`${shownPath(header.name)} is a sparse file, which is not supported in layers`,
			);
		if (!kind)
			throw new LayerError(
				'refused',
				`${shownPath(header.name)} has the unknown type ${JSON.stringify(header.type)}`,
			);
		// V7 has no type for folders: their names end with a slash.
		const isFolder = kind === 'folder' || (header.type === '0' && header.name.endsWith('/'));
		const isFile = kind === 'file' && !isFolder;
		this.#sink.entry({
			kind: isFolder ? 'folder' : kind,
			path: header.name,
			linkTarget: kind === 'symlink' || kind === 'hardlink' ? header.linkName : '',
			mode: header.mode & 0o7777,
			uid: header.uid,
			gid: header.gid,
			size: isFile ? header.size : 0,
			mtime: header.mtime,
			xattrs: records.size > 0 ? xattrsOf(records) : NO_XATTRS,
		});
		this.#beginContent('content', isFile ? header.size : 0);
		if (this.#remaining === 0) this.#endContent();
	}

	#recordsOfEntry(): PaxRecords {
		if (this.#global.size === 0) return this.#records;
		return new Map([...this.#global, ...this.#records]);
	}

	#beginContent(state: 'extension' | 'content', size: number): void {
		this.#state = state;
		this.#remaining = size;
		this.#padding = (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
	}

	/** Returns the number of bytes that it used. */
	#readContent(piece: Buffer, at: number): number {
		const part = piece.subarray(at, Math.min(piece.length, at + this.#remaining));
		const { body } = this.#extension ?? {};
		if (body) body.set(part, body.length - this.#remaining);
		else this.#sink.data(part);
		this.#remaining -= part.length;
		if (this.#remaining === 0) this.#endContent();
		return part.length;
	}

	#endContent(): void {
		this.#state = 'header';
		const extension = this.#extension;
		this.#extension = undefined;
		if (extension) this.#applyExtension(extension.type, extension.body);
		else this.#sink.end();
	}

	#applyExtension(type: string, body: Buffer): void {
		if (type === 'L') this.#longName = untilNul(body);
		else if (type === 'K') this.#longLink = untilNul(body);
		else if (type === 'x') this.#records = parsePaxRecords(body);
		else this.#global = new Map([...this.#global, ...headerRecords(parsePaxRecords(body))]);
	}
}

function untilNul(body: Buffer): string {
	const end = body.indexOf(0);
	return body.toString('latin1', 0, end === -1 ? body.length : end);
}
