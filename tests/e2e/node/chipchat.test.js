// Goal: a bot of the platform's own SDK receives what the gateway sends, and believes it.
// Method: chipchat behind its own router, as bot.start() sets it up, on a port of the system's choice.
'use strict';

const assert = require('node:assert');
const { createRequire } = require('node:module');
const http = require('node:http');
const { after, before, test } = require('node:test');
const ChipChat = require('chipchat');
const { Gateway, until, within } = require('./support/gateway.js');
const { close, listen } = require('./support/receiver.js');
const { conversationEvent, messageEvent, organization } = require('./support/samples.js');

const express = createRequire(require.resolve('chipchat'))('express');
const secret = 'zICWczLmAOEDvh1DiPGSHw==';
let gateway;

before(async () => { gateway = await Gateway.start(); });
after(() => gateway.stop());

/** A bot that notes which handlers fire. */
async function startBot(options) {
    const bot = new ChipChat({ host: 'http://127.0.0.1:9', ...options });
    const app = express();
    bot.router({ pathPrefix: '/', app, async: true });
    const server = http.createServer(app);
    const heard = [];
    const waiting = [];
    const note = (name) => (what) => {
        heard.push({ name, what });
        waiting.splice(0).forEach((check) => check());
    };
    bot.on('message', note('message'));
    bot.on('message.create.*.*', note('message.create.*.*'));
    bot.on('message.**', note('message.**'));
    bot.on('conversation.*', note('conversation.*'));
    bot.on('activity', note('activity'));
    bot.on('error', note('error'));
    const hears = (...names) => within(new Promise((resolve) => {
        const check = () => {
            const all = names.every((name) => heard.some((entry) => entry.name === name));
            if (all) resolve();
            else waiting.push(check);
        };
        check();
    }), `the handlers ${names}, of which came ${heard.map((entry) => entry.name)}`);
    const said = (name) => heard.filter((entry) => entry.name === name).map((entry) => entry.what);
    return { url: await listen(server), hears, said, stop: () => close(server) };
}

async function deliveredTo(subscription, count) {
    return until(
        () => gateway.attempts(subscription.id),
        (attempts) => attempts.length >= count,
        `${count} attempts`,
    );
}

test('message and conversation events reach their handlers, and no error is heard', async () => {
    const bot = await startBot({ secret });
    const subscription = await gateway.subscribe({ organization, url: `${bot.url}/`, secret });
    await gateway.publish(messageEvent());
    await bot.hears('message', 'message.create.*.*', 'message.**', 'activity');
    await gateway.publish(conversationEvent());
    await bot.hears('conversation.*');
    const attempts = await deliveredTo(subscription, 2);

    assert.deepStrictEqual(bot.said('error'), []);
    assert.strictEqual(bot.said('message')[0].text, 'Héllo <b> 😀 \u2028 "quoted"');
    assert.strictEqual(bot.said('activity').length, 2);
    assert.strictEqual(bot.said('activity')[0].summary, 'User Jenny Jones created a chat message');
    assert.strictEqual(bot.said('conversation.*')[0].event, 'conversation.update');
    assert.deepStrictEqual(attempts.map((attempt) => attempt.httpStatus), [200, 200]);
    await bot.stop();
});

test('a wrong secret makes the bot speak', async () => {
    const bot = await startBot({ secret: 'another secret' });
    await gateway.subscribe({ organization, url: `${bot.url}/`, secret });
    await gateway.publish(messageEvent());
    await bot.hears('error');
    assert.match(bot.said('error')[0].message, /Invalid signature/);
    await bot.stop();
});

test('the challenge handshake of the bot passes', async () => {
    const bot = await startBot({ secret });
    const created = await gateway.subscribe({
        organization, url: `${bot.url}/`, secret, verification: 'VERIFICATION_CHALLENGE',
    });
    const verified = await until(
        () => gateway.subscription(created.id),
        (subscription) => subscription.state === 'SUBSCRIPTION_STATE_ACTIVE',
        'the state ACTIVE',
    );
    assert.strictEqual(verified.id, created.id);
    await gateway.publish(conversationEvent());
    await bot.hears('conversation.*');
    assert.deepStrictEqual(bot.said('error'), []);
    await bot.stop();
});
