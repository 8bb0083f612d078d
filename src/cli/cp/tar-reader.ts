import { BLOCK_BYTES, fillBytes, headOf, TarError, type TarHead } from './tar-blocks.ts';

/** An entry of an archive. The caller reads `content` to its end before it asks for the next entry. */
export interface TarEntry extends TarHead {
	readonly content: AsyncIterable<Uint8Array>;
}

/** Maximum length of a name that comes in an entry of its own. */
const MAX_NAME_BYTES = 64 * 1024;

/** The entries of an archive, whose bytes arrive in pieces. Throws a TarError for a damaged one. */
export async function* tarEntries(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
	const bytes = new ByteReader(pieces);
	let longName: string | undefined;
	for (;;) {
		const block = await bytes.take(BLOCK_BYTES);
		const head = block && headOf(block);
		if (!head) break;
		if (head.type === 'L' || head.type === 'x') {
			longName = nameIn(await contentOf(bytes, head), head.type) ?? longName;
			continue;
		}
		const content = bytes.stream(head.size);
		// A pax head for all entries says nothing about their names.
		if (head.type !== 'g') yield { ...head, name: longName ?? head.name, content };
		if (head.type !== 'g') longName = undefined;
		for await (const rest of content) void rest;
		await bytes.take(fillBytes(head.size));
	}
	// The sender must not be stopped before it has written the rest of its last record.
	await bytes.drain();
}

async function contentOf(bytes: ByteReader, { size }: TarHead): Promise<Buffer> {
	if (size > MAX_NAME_BYTES) throw new TarError('a name is too long');
	const content = await bytes.take(size);
	await bytes.take(fillBytes(size));
	return content ?? Buffer.alloc(0);
}

/** The name in the content of an entry of GNU (`L`) or pax (`x`). */
function nameIn(content: Buffer, type: string): string | undefined {
	if (type === 'L') return content.toString('utf8').replace(/\0.*$/s, '');
	// Records of the form `<length> <key>=<value>\n`, whose length counts itself.
	for (let at = 0; at < content.length; ) {
		const space = content.indexOf(0x20, at);
		const length = Number(content.toString('latin1', at, space));
		if (space < 0 || !Number.isInteger(length) || length <= space - at)
			throw new TarError('a pax head is damaged');
		const [, key, value] = /^(.*?)=(.*)\n$/s.exec(content.toString('utf8', space + 1, at + length)) ?? [];
		if (key === 'path') return value;
		at += length;
	}
	return undefined;
}

/** Takes bytes from pieces of any size. */
class ByteReader {
	readonly #pieces: AsyncIterator<Uint8Array>;
	#rest: Uint8Array = new Uint8Array();

	constructor(pieces: AsyncIterable<Uint8Array>) {
		this.#pieces = pieces[Symbol.asyncIterator]();
	}

	/** The next `count` bytes; undefined if the pieces have ended before the first. Throws a TarError in between. */
	async take(count: number): Promise<Buffer | undefined> {
		const parts: Uint8Array[] = [];
		let left = count;
		for await (const part of this.stream(count, true)) {
			parts.push(part);
			left -= part.length;
		}
		if (left === 0) return Buffer.concat(parts);
		if (parts.length === 0) return undefined;
		throw new TarError('unexpected EOF');
	}

	/** The next `count` bytes as they arrive. Throws a TarError if they end before, unless they may. */
	async *stream(count: number, mayEnd = false): AsyncGenerator<Uint8Array> {
		let left = count;
		while (left > 0) {
			if (this.#rest.length === 0 && !(await this.#more())) {
				if (mayEnd) return;
				throw new TarError('unexpected EOF');
			}
			const part = this.#rest.subarray(0, left);
			this.#rest = this.#rest.subarray(part.length);
			left -= part.length;
			yield part;
		}
	}

	/** Reads and discards the rest. */
	async drain(): Promise<void> {
		while (await this.#more());
	}

	async #more(): Promise<boolean> {
		const { done, value } = await this.#pieces.next();
		if (done) return false;
		this.#rest = value;
		return true;
	}
}
