// Goal: the stock library of the Standard Webhooks verifies every POST, whatever kind of secret.
// Method: one subscription for each kind; every POST that comes is given to the library.
'use strict';

const assert = require('node:assert');
const { createHmac } = require('node:crypto');
const { after, before, test } = require('node:test');
const { Webhook, WebhookVerificationError } = require('standardwebhooks');
const { Gateway } = require('./support/gateway.js');
const { Receiver } = require('./support/receiver.js');
const { conversationEvent, messageEvent, organization } = require('./support/samples.js');

const whsec = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const newer = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD';
const plain = 'zICWczLmAOEDvh1DiPGSHw== and ünicode';
let gateway;

before(async () => { gateway = await Gateway.start(); });
after(() => gateway.stop());

/** What arrives for a subscription of this secret when events of several sizes are published. */
async function receive(wish) {
    const receiver = await Receiver.start();
    const subscription = await gateway.subscribe({ organization, url: receiver.url, ...wish });
    const events = [messageEvent(), conversationEvent(), messageEvent('x'.repeat(60000))];
    for (const event of events) await gateway.publish(event);
    const posts = await receiver.wait(events.length);
    await receiver.stop();
    return { subscription, posts };
}

function rejects(webhook, post) {
    assert.throws(() => webhook.verify(post.body, post.headers), WebhookVerificationError);
}

function hub(algorithm, secret, body) {
    return `${algorithm}=${createHmac(algorithm, secret).update(body).digest('hex')}`;
}

test('a generated secret verifies, and no other does', async () => {
    const { subscription, posts } = await receive({});
    assert.match(subscription.secret, /^whsec_/);
    for (const post of posts) {
        const payload = new Webhook(subscription.secret).verify(post.body, post.headers);
        assert.strictEqual(payload.id, post.headers['webhook-id']);
        rejects(new Webhook(whsec), post);
    }
});

test('a changed byte, id or time is noticed', async () => {
    const { posts: [post] } = await receive({ secret: whsec });
    const webhook = new Webhook(whsec);
    webhook.verify(post.body, post.headers);
    rejects(webhook, { ...post, body: Buffer.concat([post.body, Buffer.from(' ')]) });
    rejects(webhook, { ...post, headers: { ...post.headers, 'webhook-id': 'another' } });
    const time = String(Number(post.headers['webhook-timestamp']) - 1);
    rejects(webhook, { ...post, headers: { ...post.headers, 'webhook-timestamp': time } });
});

test('a secret that is any string verifies in raw format', async () => {
    const { posts } = await receive({ secret: plain });
    const webhook = new Webhook(Buffer.from(plain), { format: 'raw' });
    for (const post of posts) webhook.verify(post.body, post.headers);
});

test('two live secrets: both verify, and the hub headers are by the older', async () => {
    const { posts } = await receive({ secrets: [{ text: whsec }, { text: newer }] });
    for (const post of posts) {
        new Webhook(whsec).verify(post.body, post.headers);
        new Webhook(newer).verify(post.body, post.headers);
        assert.strictEqual(post.headers['webhook-signature'].split(' ').length, 2);
        assert.strictEqual(post.headers['x-hub-signature'], hub('sha1', whsec, post.body));
        assert.strictEqual(post.headers['x-hub-signature-256'], hub('sha256', whsec, post.body));
    }
});
