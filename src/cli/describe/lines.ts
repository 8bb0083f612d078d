import { parseTime } from '../../api/meta/time.ts';
import { compareText } from '../../base/compare-text.ts';
import { LAST_APPLIED } from '../manifest/apply-object.ts';

/**
 * describe/: a file per kind, each a pure function from an object to lines. Cells of a line are separated by
 * tabs; {@link alignText} turns them into columns. Order and words are those of `kubectl describe`
 * (k8s.io/kubectl/pkg/describe/describe.go). This file holds the helpers that the kinds share.
 */

type Pairs = Readonly<Record<string, string>> | undefined;

/** A line, indented by two spaces per level. */
export function at(level: number, text: string): string {
	return '  '.repeat(level) + text;
}

/** The labels under a title, one pair per line. */
export function labelLines(title: string, labels: Pairs): readonly string[] {
	const pairs = sortedPairs(labels).map(([key, value]) => `${key}=${value}`);
	return underTitle(title, pairs);
}

/**
 * The annotations under a title, one pair per line. Long values are cut; a value of several lines follows its
 * key. The last applied manifest is not shown.
 */
export function annotationLines(title: string, annotations: Pairs): readonly string[] {
	const shown = sortedPairs(annotations).filter(([key]) => key !== LAST_APPLIED);
	return underTitle(
		title,
		shown.flatMap(([key, text]) => {
			const value = text.replace(/\n$/, '');
			if (value.length + key.length + 2 <= LONGEST_ANNOTATION && !value.includes('\n'))
				return [`${key}: ${value}`];
			return [`${key}:`, ...value.split('\n').map((line) => `  ${shorten(line)}`)];
		}),
	);
}

/** A title with its values below each other, or `<none>`. */
export function underTitle(title: string, values: readonly string[]): readonly string[] {
	const [first = '<none>', ...rest] = values;
	return [`${title}:\t${first}`, ...rest.map((value) => `\t${value}`)];
}

/**
 * A time as kubectl prints it (RFC 1123, local time zone): `Fri, 20 Nov 2026 23:46:15 +0000`. Go's zero time
 * if absent.
 */
export function instant(text: string | null | undefined): string {
	const ms = text ? parseTime(text) : undefined;
	if (ms === undefined) return 'Mon, 01 Jan 0001 00:00:00 +0000';
	const date = new Date(ms);
	const two = (value: number): string => String(value).padStart(2, '0');
	const day = `${DAYS[date.getDay()]}, ${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
	const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
	const offset = -date.getTimezoneOffset();
	const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
	return `${day} ${time} ${zone}`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** kubectl's form of a boolean: `True` or `False`. */
export function truth(value: boolean | undefined): string {
	return value ? 'True' : 'False';
}

/** The pairs of a map, sorted by key. */
export function sortedPairs<V>(
	map: Readonly<Record<string, V>> | undefined,
): readonly (readonly [string, V])[] {
	return Object.entries(map ?? {}).sort(([a], [b]) => compareText(a, b));
}

const LONGEST_ANNOTATION = 140;

function shorten(text: string): string {
	const limit = LONGEST_ANNOTATION - 2;
	return text.length > limit ? `${text.slice(0, limit)}...` : text;
}
