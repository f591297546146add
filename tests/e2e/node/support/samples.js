// Events as the platform's services publish them.
'use strict';

const organization = '5c138790ec944f05ff5f6d77';
const conversationId = '5c1a974dabcdb128d0e90e90';
const messageId = '5c1a974dabcdb128d0e90e93';

const conversation = {
    id: conversationId,
    organization,
    type: 'contact',
    participants: [{ user: '5c1a99e410419f5fb88cb5f2', role: 'agent', active: true }],
};

/** A resource of raw JSON. */
function resource(value) {
    return { json: Buffer.from(JSON.stringify(value)) };
}

/** A message of a contact in a chat. */
function messageEvent(text = 'Héllo <b> 😀 \u2028 "quoted"') {
    const message = { id: messageId, conversation: conversationId, type: 'chat', role: 'contact', text };
    return {
        type: 'message.create.contact.chat',
        time: { seconds: '1545246541' },
        organization,
        activity: {
            actor: { id: 'https://api.web1on1.chat/v2/users/5c1a99e410419f5fb88cb5f2', type: 'Person' },
            summary: 'User Jenny Jones created a chat message',
        },
        data: { conversation: resource(conversation), message: resource(message) },
        links: { message: `https://api.web1on1.chat/v2/messages/${messageId}` },
    };
}

/** A change of a conversation. */
function conversationEvent() {
    return {
        type: 'conversation.update',
        time: { seconds: '1545246542' },
        organization,
        data: { conversation: resource(conversation) },
    };
}

module.exports = { conversationEvent, messageEvent, organization };
