import { lineOf, type Source, type SyntaxNode, walk } from './sources.ts';

/**
 * Plain technical English (STYLE): phrases that hide who acts, or put a household word where the trade has a term.
 * They are forbidden in comments, in our texts and titles, and in the documents.
 */

/** Each phrase as it is searched for, whole words in any case, and what to write instead. */
export const BANNED_PHRASES: readonly { readonly phrase: string; readonly instead: string }[] = [
	{ phrase: 'whoever', instead: 'the component that acts' },
	{ phrase: 'nobody', instead: 'which component does not' },
	{ phrase: 'no one', instead: 'which component does not' },
	{ phrase: 'somebody', instead: 'the component that acts' },
	{ phrase: 'anybody', instead: 'the component that acts' },
	{ phrase: 'what is there', instead: 'the noun: the objects, the containers, the file' },
	{ phrase: 'what is left', instead: 'the noun: the remaining objects, the rest of the file' },
	{ phrase: 'is to be', instead: 'must be, will be, or who does it' },
	{ phrase: 'are to be', instead: 'must be, will be, or who does it' },
	{ phrase: 'goes on', instead: 'continues' },
	{ phrase: 'go on', instead: 'continue' },
	{ phrase: 'lets go of', instead: 'releases, closes' },
	{ phrase: 'let go of', instead: 'release, close' },
	{ phrase: 'is seen to', instead: 'who does it' },
	{ phrase: 'sees to it', instead: 'makes sure, or who does it' },
	{ phrase: 'tells of', instead: 'reports' },
	{ phrase: 'told of', instead: 'notified, receives' },
	{ phrase: 'is told', instead: 'is notified, receives' },
	{ phrase: 'are told', instead: 'are notified, receive' },
	{ phrase: 'at rest', instead: 'suspended, idle, unchanged' },
	{ phrase: 'in a blink', instead: 'the time it takes' },
	{ phrase: 'not worth a word', instead: 'not reported' },
	{ phrase: 'comes round', instead: 'recurs' },
];

const PATTERN = new RegExp(`\\b(${BANNED_PHRASES.map(({ phrase }) => phrase).join('|')})\\b`, 'gi');

/** What a text says that it should not, as `line: phrase`, with the line counted from `first`. */
function phrasesIn(text: string, first: number): readonly string[] {
	// A comment breaks its lines anywhere, so a phrase may stand on two of them.
	const joined = text.replace(/\n[\t *]*/g, (gap) => ' '.repeat(gap.length));
	return [...joined.matchAll(PATTERN)].map(({ index, 0: phrase }) => {
		const line = first + text.slice(0, index).split('\n').length - 1;
		const ban = BANNED_PHRASES.find((each) => each.phrase === phrase.toLowerCase());
		return `${line}: "${phrase}"; write ${ban?.instead}`;
	});
}

/** The banned phrases in a file's comments and string literals, as `path:line: "phrase"; write …`. */
export function bannedPhrases(source: Source): readonly string[] {
	const found: string[] = [];
	const check = (text: string, start: number): void => {
		for (const each of phrasesIn(text, lineOf(source, start))) found.push(`${source.path}:${each}`);
	};
	for (const { value, start } of source.comments) check(value, start);
	walk(source.program, (node) => {
		const text = literalText(node);
		if (text !== undefined) check(text, node.start);
	});
	return found;
}

/** The banned phrases in a document, as above. Code blocks show what programs print, and are checked as well. */
export function bannedPhrasesInDocument(path: string, text: string): readonly string[] {
	return phrasesIn(text, 1).map((each) => `${path}:${each}`);
}

function literalText(node: SyntaxNode): string | undefined {
	if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
	if (node.type !== 'TemplateElement') return undefined;
	return (node.value as { readonly raw?: string }).raw;
}
