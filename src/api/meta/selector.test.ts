import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FieldPath } from '../errors/field-path.ts';
import {
	EVERYTHING,
	labelSelectorText,
	matches,
	NOTHING,
	selectorOf,
	selectorText,
	validateLabelSelector,
} from './selector.ts';
import { parseSelector } from './selector-text.ts';

const roundTrips = [
	'x=a,y=b,z=c',
	'',
	'x!=a,y=b',
	'x=',
	'x=,z= ',
	'x>1,z<5',
	'!x',
	'x',
	'x==a',
	'x in (a,b)',
	'x notin (,a)',
	'in in (in,notin)',
];

test('parseSelector() accepts the whole language, and selectorText() formats it again', () => {
	for (const text of roundTrips) {
		assert.equal(selectorText(parseSelector(text)), text.trim(), text);
	}
	assert.equal(selectorText(parseSelector(' b , a in ( z , y ) ,!c')), 'a in (y,z),b,!c');
	assert.equal(selectorText(parseSelector('x in ()')), 'x in ()');
});

const errors: readonly (readonly [string, string])[] = [
	['x=a||y=b', 'unable to parse requirement: values[0][x]: Invalid value: "a||y": '],
	['x==a==b', "found '==', expected: ',' or 'end of string'"],
	['!x=a', "found '=', expected: ',' or 'end of string'"],
	[
		'x<a',
		"unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, the value must be an integer",
	],
	['a,', "found '', expected: identifier after ','"],
	[',a', "found ',', expected: !, identifier, or 'end of string'"],
	['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
	['a in', "unable to parse requirement: found '' expected: '('"],
	['a in (x', "unable to parse requirement: found '', expected: ',' or ')'"],
	['a in (x y)', "unable to parse requirement: found 'y', expected: ',' or ')'"],
	['a in (=)', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
	['a=b=c', "found '=', expected: ',' or 'end of string'"],
	['a=(', "unable to parse requirement: found '(', expected: identifier"],
	['!', "unable to parse requirement: found '', expected: identifier"],
	['a%', 'unable to parse requirement: <nil>: Invalid value: "a%": name part must consist of'],
];

for (const [text, message] of errors) {
	test(`parseSelector() refuses "${text}" with upstream's message`, () => {
		assert.throws(
			() => parseSelector(text),
			(error: Error) => {
				assert.equal(error.message.slice(0, message.length), message);
				return true;
			},
		);
	});
}

test('an invalid selector is a BadRequest', () => {
	assert.throws(() => parseSelector('a,'), { code: 400, reason: 'BadRequest' });
});

test('each operator matches by its rule', () => {
	const labels = { x: 'a', n: '7', empty: '' };
	const selecting = [
		'',
		'x=a',
		'x==a',
		'x!=b',
		'y!=b',
		'x in (a,b)',
		'x notin (b)',
		'y notin (b)',
		'x',
		'!y',
		'n>6,n<8',
		'empty=',
		'empty',
	];
	for (const text of selecting) assert(matches(parseSelector(text), labels), text);
	const missing = [
		'x=b',
		'x!=a',
		'y=a',
		'y in (a)',
		'x in (b)',
		'x notin (a)',
		'y',
		'!x',
		'n>7',
		'x>1',
		'y<3',
	];
	for (const text of [...missing, 'constructor', 'toString!=', 'x=a,y'].filter(
		(each) => each !== 'toString!=',
	)) {
		assert(!matches(parseSelector(text), labels), text);
	}
	assert(!matches(parseSelector('a'), undefined));
	assert(matches(EVERYTHING, undefined));
});

test('an absent LabelSelector selects nothing, an empty one everything', () => {
	assert.equal(selectorOf(undefined), NOTHING);
	assert(!matches(selectorOf(undefined), { a: 'b' }));
	assert(matches(selectorOf({}), { a: 'b' }));
	assert.equal(labelSelectorText(undefined), '<none>');
});

test('labelSelectorText() prints the requirements of a LabelSelector', () => {
	const selector = {
		matchLabels: { b: '1' },
		matchExpressions: [
			{ key: 'a', operator: 'In', values: ['z', 'y'] },
			{ key: 'c', operator: 'DoesNotExist' },
			{ key: 'd', operator: 'Exists' },
			{ key: 'e', operator: 'NotIn', values: ['q'] },
		],
	} as const;
	assert.equal(labelSelectorText(selector), 'a in (y,z),b=1,!c,d,e notin (q)');
	assert(matches(selectorOf(selector), { a: 'y', b: '1', d: '', e: 'r' }));
	assert(!matches(selectorOf(selector), { a: 'y', b: '1', d: '', e: 'q' }));
});

test('validateLabelSelector() reports errors with their field paths', () => {
	const selector = {
		matchLabels: { ok: '-' },
		matchExpressions: [
			{ key: 'a', operator: 'In' as const },
			{ key: 'b', operator: 'Exists' as const, values: ['x'] },
			{ key: '', operator: 'Near' as 'In', values: [] },
			{ key: 'd', operator: 'In' as const, values: ['-'] },
		],
	};
	const found = validateLabelSelector(selector, new FieldPath('spec').child('selector'));
	assert.deepEqual(
		found.map(({ field, message }) => `${field}: ${message.slice(0, 45)}`),
		[
			'spec.selector.matchLabels: Invalid value: "-": a valid label must be an ',
			'spec.selector.matchExpressions[0].values: Required value: must be specified when `opera',
			'spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operato',
			'spec.selector.matchExpressions[2].operator: Invalid value: "Near": not a valid selector o',
			'spec.selector.matchExpressions[2].key: Invalid value: "": name part must be non-empt',
			'spec.selector.matchExpressions[2].key: Invalid value: "": name part must consist of ',
			'spec.selector.matchExpressions[3].values[0]: Invalid value: "-": a valid label must be an ',
		],
	);
});
