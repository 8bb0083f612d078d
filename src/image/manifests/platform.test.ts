import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
	machinePlatform,
	normalizePlatform,
	parsePlatform,
	platformRank,
	platformText,
	runnablePlatforms,
} from './platform.ts';

function texts(platform: string): readonly string[] {
	const parsed = parsePlatform(platform);
	assert.ok(parsed);
	return runnablePlatforms(parsed).map(platformText);
}

describe('platforms', () => {
	test('a machine runs the programs of older variants, in the order of containerd', () => {
		assert.deepEqual(texts('linux/amd64'), ['linux/amd64', 'linux/386']);
		assert.deepEqual(texts('linux/amd64/v3'), [
			'linux/amd64/v3',
			'linux/amd64/v2',
			'linux/amd64',
			'linux/386',
		]);
		assert.deepEqual(texts('linux/arm/v7'), ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']);
		const arm = ['linux/arm/v8', 'linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5'];
		assert.deepEqual(texts('linux/arm64'), ['linux/arm64', ...arm]);
		assert.deepEqual(texts('linux/arm64/v8.1'), ['linux/arm64/v8.1', 'linux/arm64', ...arm]);
		const v9 = ['v9.1', 'v9', 'v8.6', 'v8.5', 'v8.4', 'v8.3', 'v8.2', 'v8.1'].map((v) => `linux/arm64/${v}`);
		assert.deepEqual(texts('linux/arm64/v9.1'), [...v9, 'linux/arm64', ...arm]);
		assert.deepEqual(texts('linux/riscv64'), ['linux/riscv64']);
	});

	test('names of other tools mean the same platform', () => {
		const forms = {
			'linux/x86_64': 'linux/amd64',
			'linux/amd64/v1': 'linux/amd64',
			'Linux/aarch64/v8': 'linux/arm64',
		};
		for (const [text, normal] of Object.entries(forms)) {
			const parsed = parsePlatform(text);
			assert.equal(parsed && platformText(parsed), normal);
		}
		assert.equal(platformText(normalizePlatform({ os: 'macos', architecture: 'armhf' })), 'darwin/arm/v7');
		assert.equal(
			platformText(normalizePlatform({ os: 'linux', architecture: 'arm', variant: '6' })),
			'linux/arm/v6',
		);
		for (const text of ['linux', 'linux/', 'a/b/c/d', 'linux/*'])
			assert.equal(parsePlatform(text), undefined);
	});

	test('the machine is Linux by the name that Go gives its processor', () => {
		assert.equal(platformText(machinePlatform('x64')), 'linux/amd64');
		assert.equal(platformText(machinePlatform('arm')), 'linux/arm/v7');
		assert.equal(platformText(machinePlatform('s390x')), 'linux/s390x');
	});

	test('another system, processor or a required feature does not suit', () => {
		const amd64 = { os: 'linux', architecture: 'amd64' };
		assert.equal(platformRank(amd64, amd64), 0);
		assert.equal(platformRank(amd64, { ...amd64, variant: 'v2' }), undefined);
		assert.equal(platformRank(amd64, { os: 'windows', architecture: 'amd64' }), undefined);
		assert.equal(platformRank(amd64, { ...amd64, osFeatures: ['win32k'] }), undefined);
	});
});
