/** The attributes with URLs, by the elements that have them (upstream: atomsToAttrs in apimachinery/pkg/util/proxy). */
const URL_ATTRIBUTES: ReadonlyMap<string, readonly string[]> = new Map(
	Object.entries({
		href: 'a area base link',
		src: 'audio embed frame iframe img input script source video',
		cite: 'blockquote del ins q',
		codebase: 'applet object',
		formaction: 'button input',
		longdesc: 'frame iframe img',
		usemap: 'img input object',
		action: 'form',
		background: 'body',
		classid: 'object',
		data: 'object',
		icon: 'command',
		manifest: 'html',
		poster: 'video',
		profile: 'head',
	}).map(([attribute, elements]) => [attribute, elements.split(' ')] as const),
);

/** Elements whose content is text, whatever it looks like. */
const RAW_TEXT: readonly string[] =
	'iframe noembed noframes noscript plaintext script style textarea title xmp'.split(' ');

/** Longer names are none of the above. */
const MAX_NAME = 16;

/** A longer value, such as an image in a `data:` URL, stays as it is. */
const MAX_URL = 8192;

type State =
	| 'text'
	| 'raw text'
	| 'less-than'
	| 'declaration'
	| 'comment'
	| 'until greater-than'
	| 'tag name'
	| 'before attribute'
	| 'attribute'
	| 'before value'
	| 'value'
	| 'URL';

/**
 * Rewrites the URLs in the tags of an HTML document that arrives in pieces. Each character of the text stands for a
 * byte (Latin-1), so that a document in any encoding that extends ASCII passes unchanged but for its URLs. It holds back at
 * most {@link MAX_URL} characters.
 */
export class HtmlLinks {
	readonly #rewrite: (url: string) => string;
	#state: State = 'text';
	/** The name of the tag, or of the tag that ends a raw text; lower case. */
	#tag = '';
	#isEndTag = false;
	#attribute = '';
	/** The quote around the present value; empty if it has none. */
	#quote = '';
	/** The element whose content is text; empty outside of one. */
	#rawElement = '';
	/** The characters of the present state that decide how it ends. */
	#recent = '';
	/** The value that is held back, in the state `URL`. */
	#held = '';

	constructor(rewrite: (url: string) => string) {
		this.#rewrite = rewrite;
	}

	/** The next piece of the document, as far as it can be sent. */
	push(piece: string): string {
		let sent = '';
		let start = 0;
		for (let index = 0; index < piece.length; index += 1) {
			if (this.#state === 'text') {
				index = piece.indexOf('<', index);
				if (index < 0) break;
			}
			const before = this.#state;
			this.#step(piece[index] ?? '');
			if (this.#state === before) continue;
			const change = before === 'URL' || this.#state === 'URL';
			if (!change) continue;
			// A value begins after its quote, or with its first character if it has none.
			const end = before === 'URL' || this.#quote === '' ? index : index + 1;
			const passed = piece.slice(start, end);
			sent += before === 'URL' ? this.#rewrite(this.#held + passed) : passed;
			this.#held = '';
			start = end;
		}
		const rest = piece.slice(start);
		if (this.#state !== 'URL') return sent + rest;
		this.#held += rest;
		return this.#held.length > MAX_URL ? sent + this.#released() : sent;
	}

	/** What was held back at the end of the document. */
	end(): string {
		return this.#released();
	}

	#released(): string {
		const held = this.#held;
		this.#held = '';
		if (this.#state === 'URL') this.#state = 'value';
		return held;
	}

	#step(char: string): void {
		switch (this.#state) {
			case 'text':
				this.#state = 'less-than';
				break;
			case 'less-than':
				this.#afterLessThan(char);
				break;
			case 'raw text':
				this.#inRawText(char);
				break;
			case 'declaration':
			case 'comment':
			case 'until greater-than':
				this.#inDeclaration(char);
				break;
			case 'tag name':
				this.#inTagName(char);
				break;
			case 'value':
			case 'URL':
				this.#inValue(char);
				break;
			default:
				this.#inAttributes(char);
		}
	}

	#afterLessThan(char: string): void {
		if (char === '/' && !this.#isEndTag) {
			this.#isEndTag = true;
			return;
		}
		if (/[a-z]/i.test(char)) {
			this.#tag = char.toLowerCase();
			this.#state = 'tag name';
			return;
		}
		const isDeclaration = char === '!' && !this.#isEndTag;
		const isComment = this.#isEndTag || char === '?';
		this.#recent = '';
		this.#state = isDeclaration ? 'declaration' : isComment && char !== '>' ? 'until greater-than' : 'text';
		// A second less-than sign may begin a tag.
		if (char === '<' && !this.#isEndTag) this.#state = 'less-than';
		this.#isEndTag = false;
	}

	#inDeclaration(char: string): void {
		this.#recent = (this.#recent + char).slice(-3);
		if (this.#state === 'declaration') {
			if (this.#recent === '--') {
				this.#state = 'comment';
				this.#recent = '--';
			} else if (char === '>') this.#state = 'text';
			else if (this.#recent !== '-') this.#state = 'until greater-than';
		} else if (char === '>' && (this.#state === 'until greater-than' || this.#recent === '-->'))
			this.#state = 'text';
	}

	/** Only the end tag of its element ends a raw text. */
	#inRawText(char: string): void {
		const end = `</${this.#rawElement}`;
		if (this.#recent.toLowerCase() === end && /[\s/>]/.test(char)) {
			this.#recent = '';
			this.#rawElement = '';
			this.#isEndTag = true;
			this.#tag = '';
			this.#state = 'before attribute';
			this.#inAttributes(char);
			return;
		}
		this.#recent = (this.#recent + char).slice(-end.length);
	}

	#inTagName(char: string): void {
		if (/[\s/>]/.test(char)) {
			this.#state = 'before attribute';
			this.#inAttributes(char);
		} else if (this.#tag.length < MAX_NAME) this.#tag += char.toLowerCase();
	}

	#inAttributes(char: string): void {
		if (char === '>') this.#endTag();
		else if (this.#state === 'before value') this.#beforeValue(char);
		else if (char === '=' && this.#attribute !== '') this.#state = 'before value';
		else if (/[\s/]/.test(char)) this.#state = 'before attribute';
		else if (this.#state === 'before attribute') {
			this.#attribute = char.toLowerCase();
			this.#state = 'attribute';
		} else if (this.#attribute.length < MAX_NAME) this.#attribute += char.toLowerCase();
	}

	#beforeValue(char: string): void {
		if (/\s/.test(char)) return;
		this.#quote = char === '"' || char === "'" ? char : '';
		this.#state = this.#isUrl() ? 'URL' : 'value';
	}

	#inValue(char: string): void {
		const isOver = this.#quote === '' ? /[\s>]/.test(char) : char === this.#quote;
		if (!isOver) return;
		this.#attribute = '';
		this.#state = 'before attribute';
		if (char === '>' && this.#quote === '') this.#endTag();
	}

	#isUrl(): boolean {
		return !this.#isEndTag && (URL_ATTRIBUTES.get(this.#attribute)?.includes(this.#tag) ?? false);
	}

	#endTag(): void {
		const isRaw = !this.#isEndTag && RAW_TEXT.includes(this.#tag);
		this.#rawElement = isRaw ? this.#tag : '';
		this.#recent = '';
		this.#isEndTag = false;
		this.#attribute = '';
		this.#state = isRaw ? 'raw text' : 'text';
	}
}
