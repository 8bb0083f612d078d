/**
 * Stored values that have rested, compressed together. Objects of a kind are alike: 64 KiB of finished Jobs or
 * Pods take a twelfth of that, and one allocation instead of thirty (measured: of 242 MiB that 10,000
 * finished Jobs took in the server, 58 were their values and 65 the room between those).
 */

/** The size of the memory that values written one after another share. */
const FRESH_BYTES = 256 * 1024;

/**
 * Memory for the values of one resource that have just been written: side by side in blocks, each of which is
 * given back as a whole when the last of its values is packed or gone. With an allocation for each value,
 * what came and went left 50 to 70 MiB of holes between those that stayed. (The slabs that Node shares among all
 * short buffers would mix values with what lives as long as a connection.)
 */
export class FreshValues {
	#block = Buffer.alloc(0);
	#used = 0;

	/** The text as UTF-8. */
	write(text: string): Uint8Array {
		const length = Buffer.byteLength(text);
		if (length > FRESH_BYTES / 4) return own(text, length);
		if (this.#used + length > this.#block.length) {
			this.#block = Buffer.allocUnsafeSlow(FRESH_BYTES);
			this.#used = 0;
		}
		const start = this.#used;
		this.#used += this.#block.write(text, start);
		return this.#block.subarray(start, this.#used);
	}
}

function own(text: string, length: number): Uint8Array {
	const bytes = Buffer.allocUnsafeSlow(length);
	bytes.write(text);
	return bytes;
}

/** How bytes are made smaller and restored. Both functions are synchronous: 0.1 ms for a page. */
export interface Compression {
	compress(bytes: Uint8Array): Uint8Array;
	expand(bytes: Uint8Array): Uint8Array;
}

/** Makes pages and reads them. The page that was read last is kept expanded, for lists go through them in order. */
export class ValuePages {
	readonly #compression: Compression;
	#latest: { readonly page: ValuePage; readonly bytes: Uint8Array } | undefined;

	constructor(compression: Compression) {
		this.#compression = compression;
	}

	/** Compresses the values into a page; returns where each of them is then, in the same order. */
	pack(values: readonly Uint8Array[]): readonly PackedValue[] {
		const bytes = Buffer.concat(values);
		const page: ValuePage = {
			bytes: this.#compression.compress(bytes),
			total: bytes.length,
			live: bytes.length,
		};
		let start = 0;
		return values.map(({ length }) => {
			start += length;
			return new PackedValue(this, page, { start: start - length, length });
		});
	}

	/** What was compressed into the page. */
	expand(page: ValuePage): Uint8Array {
		if (this.#latest?.page !== page) this.#latest = { page, bytes: this.#compression.expand(page.bytes) };
		return this.#latest.bytes;
	}
}

/** Values that were compressed together, and how many of their bytes are still those of live objects. */
interface ValuePage {
	readonly bytes: Uint8Array;
	readonly total: number;
	live: number;
}

/** A value in a page. */
export class PackedValue {
	readonly length: number;
	readonly #pages: ValuePages;
	readonly #page: ValuePage;
	readonly #start: number;

	constructor(pages: ValuePages, page: ValuePage, at: { readonly start: number; readonly length: number }) {
		this.#pages = pages;
		this.#page = page;
		this.#start = at.start;
		this.length = at.length;
	}

	/** The value; to be read at once and not kept, for it keeps the whole expanded page. */
	get bytes(): Uint8Array {
		return this.#pages.expand(this.#page).subarray(this.#start, this.#start + this.length);
	}

	/** True if most of the page is of objects that are gone: what is left of it should move to another page. */
	get isInSparsePage(): boolean {
		return this.#page.live < this.#page.total / 2;
	}

	/** Notes that the value is no longer that of a live object; call it once. It can still be read. */
	release(): void {
		this.#page.live -= this.length;
	}
}
